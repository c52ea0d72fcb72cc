import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { hasEnded, processMark } from '../../src/core/process-mark.js';

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function otherProcess(): Promise<{ child: ChildProcess; pid: number }> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  if (child.pid === undefined) throw new Error('The process has no number.');
  return { child, pid: child.pid };
}

describe('the mark of a process', () => {
  it('stays the same, differs from that of another process, and is fit for the name of a file', async () => {
    const { pid } = await otherProcess();
    const mark = await processMark();
    expect(await processMark(process.pid)).toBe(mark);
    expect(await processMark(pid)).not.toBe(mark);
    expect(mark).toMatch(/^[0-9a-z-]{1,60}$/);
  });

  it('says that a process has ended, once it has', async () => {
    const { child, pid } = await otherProcess();
    const mark = await processMark(pid);
    expect(await hasEnded(mark)).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await hasEnded(mark)).toBe(true);
    expect(await hasEnded(await processMark())).toBe(false);
  });

  it.skipIf(process.platform !== 'linux')('tells a process from an older one of the same number', async () => {
    const older = (await processMark()).replace(/[^-]+$/, '0123456789ab');
    expect(await hasEnded(older)).toBe(true);
    const unknown = older.replace(/[^-]+$/, '0');
    expect(await hasEnded(unknown)).toBe(false);
  });

  it.skipIf(process.platform !== 'linux')('counts a process as ended that nobody has asked for its end', async () => {
    // The shell's child ends at once, and the program that takes the shell's place never asks.
    const shell = spawn('sh', ['-c', 'sh -c "echo \\$\\$" & exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    children.push(shell);
    const [output] = (await once(shell.stdout, 'data')) as [Buffer];
    const pid = Number(output.toString());
    const mark = await processMark(pid);
    await expect.poll(() => hasEnded(mark), { timeout: 10_000 }).toBe(true);
    expect(() => process.kill(pid, 0)).not.toThrow();
  });

  it('believes a process on another machine, and what is no mark', async () => {
    const { child, pid } = await otherProcess();
    const mark = await processMark(pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await hasEnded(mark.replace(/^[^-]+/, '0123456789ab'))).toBe(false);
    for (const text of [
      '',
      '-',
      'aBcDeF',
      `${mark}-x`,
      mark.replace(`-${pid}-`, '-0-'),
      mark.replace(`-${pid}-`, '--1-'),
    ]) {
      expect(await hasEnded(text)).toBe(false);
    }
  });
});
