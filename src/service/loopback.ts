import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { invalidArgument, NighError } from '../core/errors.js';

const loopbackAddresses = new BlockList();
loopbackAddresses.addSubnet('127.0.0.0', 8, 'ipv4');
loopbackAddresses.addAddress('::1', 'ipv6');

/** Whether an IP address can only be reached from this machine. */
export function isLoopback(address: string): boolean {
  return loopbackAddresses.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * The one address to listen on for a host name or address; IPv4 first, so that `localhost` is 127.0.0.1.
 * @throws NighError INVALID_ARGUMENT for a host that does not resolve
 */
export async function addressOf(host: string): Promise<string> {
  if (host === '') throw invalidArgument('host', 'a host name or an IP address', host);
  try {
    const [first] = await lookup(host, { all: true, verbatim: false });
    if (first !== undefined) return first.address;
  } catch (cause) {
    throw new NighError('INVALID_ARGUMENT', `host: ${JSON.stringify(host)} does not resolve to an address.`, { cause });
  }
  throw new NighError('INVALID_ARGUMENT', `host: ${JSON.stringify(host)} has no address.`);
}
