/**
 * Is every page of a file of lmdb one that lmdb can be given?
 *
 * lmdb maps its file and follows it wherever it points, so that one altered byte can end the process. Here the same way is gone beforehand, by
 * reads of the file: from the newer of its two heads over the tree of its free pages, that of its tables, and that of every table, one level
 * after the other.
 *
 * 1. The heads: constants, and two transactions that follow each other; the root was written by the newer one.
 * 2. Every page: its own number, its kind, by whom it was written, its nodes side by side without a gap, their keys ascending, children and long
 *    values within the file, no page used twice.
 * 3. Every tree: depth, pages and entries as many as its record says.
 * 4. The lists of free pages: none that is in use, none twice.
 *
 * So what remains are bytes of keys and values: changes have checksums and numbers without gaps (journal.ts).
 *
 * A page of lmdb (its version 2, as lmdb-js writes it): number 8 bytes, transaction 8, padding 2, kind 2, then the begin and the end of its free
 * room, 2 each, counted from byte 24, or of a long value its pages, 4. Then 2 bytes a node: where it begins. A node: 2 + 2 bytes length of the
 * value, 2 flags, 2 length of the key (in a branch the first six are the child's number), key, value. The record of a tree: 4 bytes, flags 2, depth 2,
 * and 8 each: branches, leaves, pages of long values, entries, root.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { NighError } from '../../core/errors.js';

const headVersion = 2;
const headBytes = 168;
const headerBytes = 24;
const recordBytes = 48;
const longValueBytes = 24;
const kinds = { branch: 1, leaf: 2, long: 4, head: 8 };
const nodeFlags = { long: 1, table: 2 };
const integerKeys = 8;
const noPage = 2n ** 64n - 1n;
/** lmdb's own limit. */
const deepest = 32;
const pagesAtOnce = 256;
/** Of the pages: 0 is not seen yet. */
const inUse = 1;
const freed = 2;
/** A file that is written to meanwhile is looked at again so often. */
const attempts = 20;

interface Head {
  readonly transaction: number;
  readonly pageSize: number;
  readonly isCopy: boolean;
  readonly last: number;
  readonly free: Tree;
  readonly main: Tree;
}

interface Tree {
  readonly flags: number;
  readonly depth: number;
  readonly branches: number;
  readonly leaves: number;
  readonly long: number;
  readonly entries: number;
  readonly root: number;
  readonly isEmpty: boolean;
}

/** A value of a leaf: within its page, as long as that is looked at, or on pages of its own. */
interface Value {
  readonly flags: number;
  readonly key: Buffer;
  readonly bytes: Buffer | { readonly page: number; readonly pages: number; readonly size: number };
}

/**
 * @throws NighError FORMAT for a file that lmdb must not be given, TRUNCATED, IO. While another process writes to it, only what that cannot have caused
 */
export async function checkPages(path: string): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    for (let attempt = 1; ; attempt++) {
      const head = await newestHead(file, path);
      try {
        await new PageWalk(file, path, head, (await file.stat()).size).run();
        return;
      } catch (cause) {
        // Pages of this state are used again from the third transaction after it on.
        const { transaction } = await newestHead(file, path);
        if (transaction <= head.transaction + 1) throw cause;
        // A file that changes so fast is written to by a process that has looked at it before.
        if (attempt === attempts) return;
      }
    }
  } catch (cause) {
    if (cause instanceof NighError) throw cause;
    throw new NighError('IO', `${path}: ${(cause as Error).message}`, { cause });
  } finally {
    await file?.close();
  }
}

/** Step 1. Heads that change meanwhile are read again. */
async function newestHead(file: FileHandle, path: string): Promise<Head> {
  const pageSize = (await readAt(file, path, 0, headBytes)).readUInt32LE(48);
  let bytes = await readAt(file, path, 0, pageSize + headBytes);
  for (let attempt = 1; ; attempt++) {
    try {
      return readHeads(bytes, pageSize, path);
    } catch (cause) {
      const again = await readAt(file, path, 0, pageSize + headBytes);
      if (again.equals(bytes) || attempt === attempts) throw cause;
      bytes = again;
    }
  }
}

function readHeads(bytes: Buffer, pageSize: number, path: string): Head {
  const heads = [bytes.subarray(0, headBytes), bytes.subarray(pageSize)];
  for (const [at, head] of heads.entries()) {
    const isHead =
      head.readUInt16LE(18) === kinds.head &&
      head.readUInt32LE(28) === headVersion &&
      number(head, 32) === 0 &&
      head.readUInt32LE(48) === pageSize &&
      head.readUInt16LE(52) === integerKeys;
    if (!isHead) throw damaged(path, at, 'is no head of this version of lmdb');
  }
  const [a, b] = heads.map((head) => number(head, 152)) as [number, number];
  const at = b > a ? 1 : 0;
  const transaction = Math.max(a, b);
  // A copy has its transaction in the second head and none in the first.
  const isCopy = a === 0;
  if (!isCopy && (Math.abs(a - b) !== 1 || transaction % 2 !== at)) {
    throw damaged(path, at, `is of the transaction ${transaction}, and the other head of ${Math.min(a, b)}`);
  }
  const newest = heads[at]!;
  return {
    ...{ transaction, pageSize, isCopy },
    last: number(newest, 144),
    // Its flags are those of the file beside.
    free: { ...readTree(newest, 48), flags: integerKeys },
    main: readTree(newest, 96),
  };
}

class PageWalk {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #head: Head;
  readonly #used: Uint8Array;
  readonly #buffer: Buffer;

  constructor(file: FileHandle, path: string, head: Head, bytes: number) {
    this.#file = file;
    this.#path = path;
    this.#head = head;
    this.#used = new Uint8Array(Math.min(head.last + 1, Math.floor(bytes / head.pageSize)));
    this.#buffer = Buffer.alloc(pagesAtOnce * head.pageSize);
  }

  async run(): Promise<void> {
    const { free, main } = this.#head;
    const lists: Value[] = [];
    await this.#tree(free, 'free pages', ({ flags, key, bytes }) => {
      lists.push({ flags, key, bytes: Buffer.isBuffer(bytes) ? Buffer.from(bytes) : bytes });
    });
    const tables: { readonly name: string; readonly tree: Tree }[] = [];
    await this.#tree(main, 'tables', ({ flags, key, bytes }, page) => {
      if (flags !== nodeFlags.table || !Buffer.isBuffer(bytes) || bytes.length !== recordBytes) {
        throw damaged(this.#path, page, 'lists something else than tables');
      }
      tables.push({ name: key.toString('latin1'), tree: readTree(bytes, 0) });
    });
    for (const { name, tree } of tables) await this.#tree(tree, name, () => {});
    for (const list of lists) await this.#freePages(list);
  }

  /** Steps 2 and 3. */
  async #tree(tree: Tree, what: string, visit: (value: Value, page: number) => void): Promise<void> {
    const { root, depth } = tree;
    const { main, isCopy, transaction } = this.#head;
    const found = { branches: 0, leaves: 0, long: 0, entries: 0 };
    if ((tree.flags & ~integerKeys) !== 0) throw damaged(this.#path, root, `${what}: unknown flags ${tree.flags}`);
    if (!tree.isEmpty) {
      if (depth < 1 || depth > deepest) throw damaged(this.#path, root, `${what}: a depth of ${depth}`);
      let level = [root];
      const long: { readonly page: number; readonly pages: number }[] = [];
      for (let left = depth; left > 0; left--) {
        const next: number[] = [];
        for (const page of level) this.#use(page, 1, what);
        await this.#pages(level, (page, at) => {
          if (at === root && tree === main && !isCopy && number(page, 8) !== transaction) {
            throw damaged(this.#path, at, `is the root of ${what}, and not of the transaction ${transaction}`);
          }
          if (left > 1) {
            found.branches++;
            for (const child of this.#branch(page, at, tree)) next.push(child);
            return;
          }
          found.leaves++;
          for (const value of this.#leaf(page, at, tree)) {
            found.entries++;
            if (!Buffer.isBuffer(value.bytes)) {
              this.#use(value.bytes.page, value.bytes.pages, what);
              found.long += value.bytes.pages;
              long.push(value.bytes);
            }
            visit(value, at);
          }
        });
        level = next;
      }
      const pagesOf = new Map(long.map(({ page, pages }) => [page, pages]));
      await this.#pages([...pagesOf.keys()], (page, at) => {
        if (page.readUInt16LE(18) !== kinds.long || page.readUInt32LE(20) !== pagesOf.get(at)) {
          throw damaged(this.#path, at, 'does not begin a long value');
        }
      });
    } else if (depth !== 0) throw damaged(this.#path, 0, `${what}: a depth of ${depth} without a page`);
    for (const [name, count] of Object.entries(found) as [keyof typeof found, number][]) {
      if (tree[name] !== count)
        throw damaged(this.#path, root, `${what}: expected ${tree[name]} ${name}, found ${count}`);
    }
  }

  /** The children of a branch. */
  #branch(page: Buffer, at: number, tree: Tree): number[] {
    const nodes = this.#nodes(page, at, kinds.branch, (node) => 8 + page.readUInt16LE(node + 6));
    if (nodes.length < 2 && tree !== this.#head.free) throw damaged(this.#path, at, 'is a branch with one child');
    // The first key of a branch counts as the least, whatever it holds.
    this.#requireOrder(
      nodes.slice(1).map((node) => keyOf(page, node)),
      at,
      tree,
    );
    return nodes.map((node) => page.readUInt32LE(node) + page.readUInt16LE(node + 4) * 2 ** 32);
  }

  #leaf(page: Buffer, at: number, tree: Tree): Value[] {
    const size = (node: number) => page.readUInt32LE(node);
    const isLong = (node: number) => (page.readUInt16LE(node + 4) & nodeFlags.long) !== 0;
    const nodes = this.#nodes(
      page,
      at,
      kinds.leaf,
      (node) => 8 + page.readUInt16LE(node + 6) + (isLong(node) ? longValueBytes : size(node)),
    );
    this.#requireOrder(
      nodes.map((node) => keyOf(page, node)),
      at,
      tree,
    );
    return nodes.map((node) => {
      const key = keyOf(page, node);
      const begin = node + 8 + key.length;
      const flags = page.readUInt16LE(node + 4);
      if (
        (flags & ~(nodeFlags.long | nodeFlags.table)) !== 0 ||
        (flags !== 0 && flags !== nodeFlags.long && tree !== this.#head.main)
      ) {
        throw damaged(this.#path, at, `has a node with the flags ${flags}`);
      }
      if (!isLong(node)) return { flags, key, bytes: page.subarray(begin, begin + size(node)) };
      const [first, pages] = [number(page, begin), number(page, begin + 16)];
      if (pages < Math.ceil((headerBytes + size(node)) / this.#head.pageSize)) {
        throw damaged(this.#path, at, `has a value of ${size(node)} bytes on ${pages} pages`);
      }
      return { flags, key, bytes: { page: first, pages, size: size(node) } };
    });
  }

  /** Where the nodes of a page begin: side by side from the end of its free room to that of the page. */
  #nodes(page: Buffer, at: number, kind: number, lengthOf: (node: number) => number): number[] {
    const { pageSize, transaction } = this.#head;
    const [begin, end] = [page.readUInt16LE(20), page.readUInt16LE(22)];
    if (number(page, 0) !== at || number(page, 8) > transaction || page.readUInt16LE(18) !== kind) {
      throw damaged(this.#path, at, 'is another page than is looked for');
    }
    if (begin === 0 || begin % 2 !== 0 || begin > end || end + headerBytes > pageSize) {
      throw damaged(this.#path, at, `has room from ${begin} to ${end}`);
    }
    const nodes = Array.from({ length: begin / 2 }, (_, i) => headerBytes + page.readUInt16LE(headerBytes + 2 * i));
    let next = headerBytes + end;
    for (const node of [...nodes].sort((a, b) => a - b)) {
      if (node !== next || node + 8 > pageSize) throw damaged(this.#path, at, `has no node at ${next}`);
      const length = lengthOf(node);
      next += length + (length % 2);
    }
    if (next !== pageSize) throw damaged(this.#path, at, `has nodes up to ${next} of ${pageSize}`);
    return nodes;
  }

  #requireOrder(keys: readonly Buffer[], at: number, { flags }: Tree): void {
    const isInteger = flags === integerKeys;
    for (const [n, key] of keys.entries()) {
      if (isInteger && key.length !== 8 && key.length !== 4)
        throw damaged(this.#path, at, `has a key of ${key.length} bytes`);
      if (n === 0) continue;
      const before = keys[n - 1]!;
      const order = isInteger ? integer(before) - integer(key) : Buffer.compare(before, key);
      if (order >= 0) throw damaged(this.#path, at, 'has keys that do not ascend');
    }
  }

  /** Step 4: a number of entries; then of each run of pages minus its length, where it is more than one, and its first; zeros are left out. */
  async #freePages({ bytes }: Value): Promise<void> {
    const { pageSize } = this.#head;
    const list = Buffer.isBuffer(bytes)
      ? bytes
      : await readAt(this.#file, this.#path, bytes.page * pageSize + headerBytes, bytes.size);
    const count = list.length < 8 ? Number.POSITIVE_INFINITY : number(list, 0);
    if (count + 1 > list.length / 8) throw damaged(this.#path, 0, 'has a list of free pages that is cut');
    let length = 1;
    for (let i = 1; i <= count; i++) {
      const entry = Number(list.readBigInt64LE(i * 8));
      if (entry < 0) length = -entry;
      else if (entry > 0) {
        if (entry < 2 || entry + length - 1 > this.#head.last)
          throw damaged(this.#path, entry, 'is free, and none of the file');
        // The last pages of a file may have been freed before they were ever written.
        for (let page = entry; page < Math.min(entry + length, this.#used.length); page++) {
          if (this.#used[page] !== 0) {
            throw damaged(this.#path, page, this.#used[page] === freed ? 'is free twice' : 'is free and in use');
          }
          this.#used[page] = freed;
        }
        length = 1;
      }
    }
  }

  #use(page: number, pages: number, what: string): void {
    if (page < 2 || page + pages > this.#used.length) throw damaged(this.#path, page, `${what}: none of the file`);
    for (let each = page; each < page + pages; each++) {
      if (this.#used[each] !== 0) throw damaged(this.#path, each, `${what}: used twice`);
      this.#used[each] = inUse;
    }
  }

  /** In the order of the file, neighbours in one read. */
  async #pages(numbers: readonly number[], visit: (page: Buffer, at: number) => void): Promise<void> {
    const sorted = [...numbers].sort((a, b) => a - b);
    const { pageSize } = this.#head;
    for (let begin = 0; begin < sorted.length; ) {
      const first = sorted[begin]!;
      let end = begin;
      while (end < sorted.length && sorted[end]! - first < pagesAtOnce) end++;
      const run = await readInto(
        this.#buffer.subarray(0, (sorted[end - 1]! - first + 1) * pageSize),
        this.#file,
        this.#path,
        first * pageSize,
      );
      for (const at of sorted.slice(begin, end)) {
        visit(run.subarray((at - first) * pageSize, (at - first + 1) * pageSize), at);
      }
      begin = end;
    }
  }
}

function keyOf(page: Buffer, node: number): Buffer {
  return page.subarray(node + 8, node + 8 + page.readUInt16LE(node + 6));
}

function readTree(bytes: Buffer, at: number): Tree {
  const [branches, leaves, long, entries, root] = [8, 16, 24, 32, 40].map((field) => number(bytes, at + field));
  return {
    flags: bytes.readUInt16LE(at + 4),
    depth: bytes.readUInt16LE(at + 6),
    ...{ branches: branches!, leaves: leaves!, long: long!, entries: entries!, root: root! },
    isEmpty: bytes.readBigUInt64LE(at + 40) === noPage,
  };
}

/** Unsigned, of eight bytes: exact as far as a file can be long. */
function number(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

function integer(key: Buffer): number {
  return key.length === 8 ? number(key, 0) : key.readUInt32LE(0);
}

function readAt(file: FileHandle, path: string, at: number, bytes: number): Promise<Buffer> {
  return readInto(Buffer.alloc(bytes), file, path, at);
}

async function readInto(buffer: Buffer, file: FileHandle, path: string, at: number): Promise<Buffer> {
  const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
  if (bytesRead < buffer.length) throw new NighError('TRUNCATED', `${path}: it ends within its pages.`);
  return buffer;
}

function damaged(path: string, page: number, what: string): NighError {
  return new NighError(
    'FORMAT',
    `${path}: page ${page} ${what}. The journal is damaged: nigh verify tells how far, nigh restore brings a backup back.`,
  );
}
