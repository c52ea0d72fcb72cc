import cluster from 'node:cluster';
import type { BuiltApp, ProcessHooks } from '../app.js';
import type { Metrics } from '../metrics.js';
import { isMessage, type Message } from './messages.js';
import { ForwardedChanges, isWriter, makeForwarded } from './writer.js';

/** Whether this process is one of several that serve the same, with another that watches over them. */
export function isWorker(): boolean {
  return cluster.isWorker;
}

/** Aborts when the watcher asks this worker to stop. */
export function stopOfWatcher(): AbortSignal {
  const stop = new AbortController();
  process.on('message', (message: unknown) => {
    if (isMessage(message) && message.nigh === 'stop') stop.abort();
  });
  return stop.signal;
}

/** How a worker speaks with its watcher. */
export interface Messages {
  readonly hooks: ProcessHooks;
  attach(built: BuiltApp): void;
}

/** Metrics of all workers, asked of any; a reload that one was asked for, done by all; changes, made by the one that writes. */
export function openMessages(): Messages {
  const waiting = new Map<number, (text: string) => void>();
  let next = 0;
  const send = (message: Message) => void process.send?.(message);
  let forwarded: ForwardedChanges | undefined;
  const readMetrics = (own: Metrics) => {
    if (!process.connected) return own.text();
    const id = next++;
    return new Promise<string>((resolve) => {
      waiting.set(id, resolve);
      send({ nigh: 'ask-metrics', id });
    });
  };
  const forward: ProcessHooks['changes'] = (collections, reloader) => {
    forwarded = new ForwardedChanges(collections, reloader, send);
    return forwarded;
  };
  return {
    hooks: {
      readMetrics,
      onReloaded: () => send({ nigh: 'reload' }),
      ...(isWriter() ? {} : { changes: forward }),
    },
    attach({ app, reloader, metrics, changes }) {
      const onMessage = async (message: unknown) => {
        if (!isMessage(message)) return;
        if (message.nigh === 'reload') await reloader.reloadChanged();
        if (message.nigh === 'ask-own-metrics') {
          send({ nigh: 'own-metrics', id: message.id, json: await metrics.json() });
        }
        if (message.nigh === 'metrics') {
          waiting.get(message.id)?.(message.text);
          waiting.delete(message.id);
        }
        if (message.nigh === 'change') send(await makeForwarded(changes, message));
        if (message.nigh === 'changed') forwarded?.answered(message);
      };
      process.on('message', onMessage);
      app.server.once('close', () => process.off('message', onMessage));
    },
  };
}
