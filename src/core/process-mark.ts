import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/**
 * A short text that tells a process from all others, fit for the name of a file: what a process leaves behind when it is killed can
 * say by it whose it was. Three parts, `machine-number-beginning`: a digest of what the number is valid in (the host, and on Linux the
 * namespace of process numbers, since containers may share a host's name), the number, and a digest of when the process began, which
 * tells processes of one number apart; 0 where the system does not say.
 * @param pid of a process of this machine. Default: this process
 */
export async function processMark(pid: number = process.pid): Promise<string> {
  return `${await machine()}-${pid}-${(await statusOf(pid)).began}`;
}

/**
 * Whether the process of a mark is gone for certain: it was one of this machine, and none of its number runs, or another one. Of a
 * process on another machine, and of a text that is no mark, nothing is known: false.
 */
export async function hasEnded(mark: string): Promise<boolean> {
  const [, where, number, began] = /^([0-9a-f]{12})-([1-9]\d{0,9})-(0|[0-9a-f]{12})$/.exec(mark) ?? [];
  if (where === undefined || where !== (await machine())) return false;
  const pid = Number(number);
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Otherwise EPERM: there is such a process, of somebody else.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  const now = await statusOf(pid);
  // A zombie has ended, and waits for its parent to ask how.
  return now.isZombie || (began !== '0' && now.began !== '0' && began !== now.began);
}

async function machine(): Promise<string> {
  return digest(`${hostname()} ${await orNothing(readlink('/proc/self/ns/pid'))}`);
}

async function statusOf(pid: number): Promise<{ isZombie: boolean; began: string }> {
  const boot = await orNothing(readFile('/proc/sys/kernel/random/boot_id', 'utf8'));
  const status = await orNothing(readFile(`/proc/${pid}/stat`, 'utf8'));
  // The second field is the command in parentheses, which may hold anything; the state is the third, the time of the start the 22nd.
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  const started = fields[19];
  return {
    isZombie: fields[0] === 'Z',
    began: boot === '' || started === undefined ? '0' : digest(`${boot} ${started}`),
  };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** Only Linux has /proc; elsewhere the process number alone has to do. */
async function orNothing(text: Promise<string>): Promise<string> {
  return text.catch(() => '');
}
