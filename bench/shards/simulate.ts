/** Shards and replicas in front of measured searches: a queue per machine, and the slowest shard decides. */
import { Random } from '../datasets/random.js';

export interface Cluster {
  readonly shards: number;
  /** Machines that hold the same shard. */
  readonly replicas: number;
  /** Searches that one machine makes at once. */
  readonly cores: number;
  /** Share of all cores' time that is asked for. */
  readonly load: number;
}

export interface Latency {
  /** Questions a second that the whole cluster answers at this load. */
  readonly questionsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const simulated = 20_000;
const warmUp = 2000;

/**
 * Latencies of questions that arrive by chance (Poisson), each sent to all shards at once, to the replica of two chosen by chance that is free
 * first; a machine takes them in their order. Without the network: its round trip is to be added.
 * @param serviceTimes milliseconds of one search of one shard, drawn from with repetition
 */
export function simulate(cluster: Cluster, serviceTimes: Float64Array, seed: number): Latency {
  const { shards, replicas, cores, load } = cluster;
  const random = new Random(seed);
  const mean = serviceTimes.reduce((sum, time) => sum + time, 0) / serviceTimes.length;
  const perMs = (load * replicas * cores) / mean;
  // When each core of each machine is free.
  const free = Array.from({ length: shards * replicas }, () => new Float64Array(cores));
  const latencies = new Float64Array(simulated);
  let now = 0;
  for (let question = 0; question < simulated + warmUp; question++) {
    now -= Math.log(1 - random.uniform()) / perMs;
    let slowest = 0;
    for (let shard = 0; shard < shards; shard++) {
      const first = free[shard * replicas + random.below(replicas)]!;
      const second = free[shard * replicas + random.below(replicas)]!;
      const machine = first[soonest(first)]! <= second[soonest(second)]! ? first : second;
      const core = soonest(machine);
      const end = Math.max(now, machine[core]!) + serviceTimes[random.below(serviceTimes.length)]!;
      machine[core] = end;
      slowest = Math.max(slowest, end - now);
    }
    if (question >= warmUp) latencies[question - warmUp] = slowest;
  }
  latencies.sort();
  return {
    questionsPerSecond: perMs * 1000,
    p50: latencies[Math.floor(simulated * 0.5)]!,
    p99: latencies[Math.floor(simulated * 0.99)]!,
  };
}

function soonest(cores: Float64Array): number {
  let best = 0;
  for (let core = 1; core < cores.length; core++) if (cores[core]! < cores[best]!) best = core;
  return best;
}
