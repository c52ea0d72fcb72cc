/**
 * Sends requests at times that do not wait for answers, from this process alone: `node arrivals.js <options as JSON>`.
 *
 * The times are those of a Poisson process, as of many people who do not know of each other. What counts is how long after it was due a request is
 * answered: a service that stands still answers all that became due meanwhile late, and each of them once. Beside it, how long after it was sent:
 * the difference is the sender's, which looks once a millisecond what is due.
 *
 * autocannon at a rate is another thing. It sends what is due in a second at the beginning of it, as fast as it is answered, and for every answer
 * after d ms it also records answers after d − 1, d − 2, … 1 ms.
 */
import { connect, type Socket } from 'node:net';
import { quantile } from 'nigh/evaluation';
import { Random } from '../datasets/random.js';

/** What is sent. */
export interface Arrivals {
  readonly url: string;
  readonly paths: readonly string[];
  readonly accept: string;
  readonly seconds: number;
  /** Requests a second, on average. */
  readonly rate: number;
}

/** What came back; milliseconds. */
export interface Answered {
  /** Requests a second that were sent. */
  readonly rate: number;
  readonly sinceDue: Quantiles;
  readonly sinceSent: Quantiles;
  /** Not 200, or not answered within the time and `graceMs` after it. */
  readonly failed: number;
}

export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

const connectionsAtFirst = 32;
/** Beyond them a request waits for an answer to another, and that counts. */
const mostConnections = 512;
const graceMs = 5000;

interface Request {
  readonly bytes: Buffer;
  readonly due: number;
  sent: number;
}

class Sender {
  readonly sinceDue: number[] = [];
  readonly sinceSent: number[] = [];
  refused = 0;
  readonly #host: string;
  readonly #port: number;
  readonly #idle: Connection[] = [];
  readonly #waiting: Request[] = [];
  #connections = 0;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#host = hostname;
    this.#port = Number(port);
    for (let n = 0; n < connectionsAtFirst; n++) this.#idle.push(this.#connect());
  }

  send(request: Request): void {
    const connection = this.#idle.pop() ?? (this.#connections < mostConnections ? this.#connect() : undefined);
    if (connection === undefined) this.#waiting.push(request);
    else connection.send(request);
  }

  #connect(): Connection {
    this.#connections += 1;
    const connection = new Connection(connect(this.#port, this.#host).setNoDelay(true), (request, isGood) => {
      const now = performance.now();
      this.sinceDue.push(now - request.due);
      this.sinceSent.push(now - request.sent);
      if (!isGood) this.refused += 1;
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(connection);
      else connection.send(next);
    });
    return connection;
  }
}

/** One request at a time. A client of node:http would cost more than some answers do. */
class Connection {
  readonly #socket: Socket;
  #request: Request | undefined;
  #head = '';
  /** Bytes of the answer that are still to come; undefined while its head is. */
  #missing: number | undefined;

  constructor(socket: Socket, onAnswer: (request: Request, isGood: boolean) => void) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#read(chunk);
      if (this.#missing !== 0 || this.#request === undefined) return;
      const [request, isGood] = [this.#request, this.#head.startsWith('HTTP/1.1 200 ')];
      this.#request = undefined;
      this.#missing = undefined;
      this.#head = '';
      onAnswer(request, isGood);
    });
  }

  send(request: Request): void {
    this.#request = request;
    request.sent = performance.now();
    this.#socket.write(request.bytes);
  }

  #read(chunk: Buffer): void {
    if (this.#missing !== undefined) {
      this.#missing -= chunk.length;
      return;
    }
    const text = this.#head + chunk.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    this.#head = text;
    if (end < 0) return;
    const [, length] = /\r\ncontent-length: (\d+)/i.exec(text) ?? [];
    if (length === undefined) throw new Error(`An answer without content-length: ${text.slice(0, 200)}`);
    this.#missing = end + 4 + Number(length) - text.length;
  }
}

async function main({ url, paths, accept, seconds, rate }: Arrivals): Promise<Answered> {
  const { host } = new URL(url);
  const requests = paths.map((path) =>
    Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: ${accept}\r\n\r\n`),
  );
  const sender = new Sender(url);
  const random = new Random(1);
  const began = performance.now();
  const end = began + seconds * 1000;
  let due = began;
  let count = 0;
  while (due < end) {
    const now = performance.now();
    for (; due <= now && due < end; due -= (Math.log(1 - random.uniform()) / rate) * 1000) {
      sender.send({ bytes: requests[count++ % requests.length]!, due, sent: due });
    }
    await pause();
  }
  while (sender.sinceDue.length < count && performance.now() < end + graceMs) await pause();
  return {
    rate: count / seconds,
    sinceDue: quantiles(sender.sinceDue),
    sinceSent: quantiles(sender.sinceSent),
    failed: count - sender.sinceDue.length + sender.refused,
  };
}

/** The shortest that a timer can be set to. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

function quantiles(times: readonly number[]): Quantiles {
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), p999: quantile(times, 0.999) };
}

process.stdout.write(JSON.stringify(await main(JSON.parse(process.argv[2] ?? '{}') as Arrivals)), () => process.exit());
