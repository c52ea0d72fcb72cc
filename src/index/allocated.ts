import { freemem } from 'node:os';
import { NighError } from '../core/errors.js';

/** Smaller ones are not worth asking the system, and a process that has not so much left is lost in any case. */
const large = 2 ** 26;

/**
 * Arrays of `bytes` in all, whose size a caller has chosen. The system promises memory that it does not have and ends the process when it is
 * written to, so what is larger than the memory that is free is refused before.
 * @param what for people: "An answer of 3 × 5 neighbours"
 * @throws NighError OUT_OF_MEMORY
 */
export function allocated<T>(what: string, bytes: number, make: () => T): T {
  if (bytes > large && bytes > available()) {
    throw new NighError('OUT_OF_MEMORY', `${what} cannot be held: it takes ${bytes} bytes, ${available()} are free.`);
  }
  try {
    return make();
  } catch (cause) {
    throw new NighError('OUT_OF_MEMORY', `${what} cannot be held.`, { cause });
  }
}

/** What the system and the limits of this process leave; Node before 20.13 knows the system's part only. */
function available(): number {
  return process.availableMemory?.() ?? freemem();
}
