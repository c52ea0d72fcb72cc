/**
 * What a disk may hold after a loss of power: calls that a program made (program.ts, with their bytes) are played on a model of a file
 * system in which only what was flushed is sure.
 *
 * What POSIX leaves open is drawn: of a file that was not flushed, any of its pages may have been written, in any order, and its length may
 * be the old one or a later one; of a directory, the first so many of its changes of names, as file systems with a journal have it.
 * What it does not know: a disk that says it has written what it has not, and writes through a mapping, which are no calls.
 */
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Call } from './program.js';

const page = 4096;

/** A piece of a file within one page, or a new length. */
type FileChange = { readonly at: number; readonly bytes: Buffer } | { readonly length: number };

class File {
  changes: FileChange[] = [];

  constructor(public onDisk: Buffer) {}

  write(at: number, bytes: Buffer): void {
    for (let begin = 0; begin < bytes.length; ) {
      const end = Math.min(bytes.length, begin + page - ((at + begin) % page));
      this.changes.push({ at: at + begin, bytes: bytes.subarray(begin, end) });
      begin = end;
    }
  }

  flush(): void {
    this.onDisk = applied(this.onDisk, this.changes);
    this.changes = [];
  }
}

function applied(content: Buffer, changes: readonly FileChange[]): Buffer {
  const end = changes.reduce(
    (length, change) => ('length' in change ? change.length : Math.max(length, change.at + change.bytes.length)),
    content.length,
  );
  const most = changes.reduce(
    (length, change) => Math.max(length, 'length' in change ? change.length : change.at + change.bytes.length),
    content.length,
  );
  const result = Buffer.alloc(most);
  content.copy(result);
  for (const change of changes) {
    if ('length' in change) result.fill(0, change.length);
    else change.bytes.copy(result, change.at);
  }
  return result.subarray(0, end);
}

/** Names that one call gives or takes together. */
type NameChange = ReadonlyMap<string, Node | undefined>;

class Directory {
  readonly now: Map<string, Node>;
  changes: NameChange[] = [];

  constructor(public onDisk: Map<string, Node>) {
    this.now = new Map(onDisk);
  }

  change(names: NameChange): void {
    for (const [name, node] of names) setOrDelete(this.now, name, node);
    this.changes.push(names);
  }

  after(count: number): Map<string, Node> {
    const names = new Map(this.onDisk);
    for (const change of this.changes.slice(0, count)) {
      for (const [name, node] of change) setOrDelete(names, name, node);
    }
    return names;
  }

  flush(): void {
    this.onDisk = this.after(this.changes.length);
    this.changes = [];
  }
}

function setOrDelete(names: Map<string, Node>, name: string, node: Node | undefined): void {
  if (node === undefined) names.delete(name);
  else names.set(name, node);
}

type Node = File | Directory;

/** How much of what was not flushed is on disk: nothing, everything that was done, or as a random number in [0, 1) has it. */
export type Survival = 'nothing' | 'everything' | (() => number);

export class ModelDisk {
  readonly #root: string;
  readonly #tree: Directory;

  /** @param root a directory as it is now, all of it on disk */
  constructor(root: string) {
    this.#root = root;
    this.#tree = read(root);
  }

  /** Plays a call; those outside the root are left out. */
  play(call: Call, bytes: Buffer): void {
    const { name, path, second } = call;
    switch (name) {
      case 'create': {
        const found = this.#find(path);
        if (found === undefined) this.#parent(path)?.change(new Map([[basename(path), new File(Buffer.alloc(0))]]));
        else if (second === '0' && found instanceof File) found.changes.push({ length: 0 });
        return;
      }
      case 'mkdir':
        if (this.#find(path) === undefined)
          this.#parent(path)?.change(new Map([[basename(path), new Directory(new Map())]]));
        return;
      case 'write':
      case 'flushed-write': {
        const file = this.#find(path);
        if (!(file instanceof File)) return;
        const { offset, keptAt } = call;
        if (offset === undefined || keptAt === undefined)
          throw new Error(`the bytes of this call were not kept: ${JSON.stringify(call)}`);
        file.write(offset, bytes.subarray(keptAt, keptAt + Number(second)));
        if (name === 'flushed-write') file.flush();
        return;
      }
      case 'truncate': {
        const file = this.#find(path);
        if (file instanceof File) file.changes.push({ length: Number(second) });
        return;
      }
      case 'fsync':
        this.#find(path)?.flush();
        return;
      case 'unlink':
      case 'rmdir':
        if (this.#find(path) !== undefined) this.#parent(path)?.change(new Map([[basename(path), undefined]]));
        return;
      case 'link':
      case 'rename': {
        const node = this.#find(path);
        const [from, to] = [this.#parent(path), this.#parent(second)];
        if (node === undefined) return;
        const given = new Map<string, Node | undefined>([[basename(second), node]]);
        if (name === 'link') to?.change(given);
        else if (from === to) from?.change(new Map([[basename(path), undefined], ...given]));
        else {
          to?.change(given);
          from?.change(new Map([[basename(path), undefined]]));
        }
      }
    }
  }

  /** Writes what is left after a loss of power now to a directory. */
  leave(to: string, survival: Survival): void {
    const files = new Map<File, Buffer>();
    const leave = (directory: Directory, path: string): void => {
      mkdirSync(path, { recursive: true });
      const names = directory.after(
        survival === 'nothing'
          ? 0
          : survival === 'everything'
            ? directory.changes.length
            : Math.floor(survival() * (directory.changes.length + 1)),
      );
      for (const [name, node] of names) {
        if (node instanceof Directory) leave(node, join(path, name));
        else {
          // A file with two names is one file.
          const content = files.get(node) ?? remains(node, survival);
          files.set(node, content);
          writeFileSync(join(path, name), content);
        }
      }
    };
    leave(this.#tree, to);
  }

  #parent(path: string): Directory | undefined {
    const found = this.#find(dirname(path));
    return found instanceof Directory ? found : undefined;
  }

  #find(path: string): Node | undefined {
    if (path === this.#root) return this.#tree;
    if (!path.startsWith(`${this.#root}/`)) return undefined;
    let node: Node | undefined = this.#tree;
    for (const name of path.slice(this.#root.length + 1).split('/')) {
      node = node instanceof Directory ? node.now.get(name) : undefined;
    }
    return node;
  }
}

function remains({ onDisk, changes }: File, survival: Survival): Buffer {
  if (survival === 'nothing') return onDisk;
  if (survival === 'everything') return applied(onDisk, changes);
  return applied(
    onDisk,
    changes.filter(() => survival() < 0.5),
  );
}

function read(path: string): Directory {
  const names = readdirSync(path).map((name): [string, Node] => {
    const below = join(path, name);
    return [name, lstatSync(below).isDirectory() ? read(below) : new File(readFileSync(below))];
  });
  return new Directory(new Map(names));
}
