// @ts-check
// The thread that holds one session of onnxruntime-node, whose run() computes on the thread that calls it; see session.ts for the
// protocol. Plain JavaScript, because a worker is started from a file that Node can run as it lies, from src/ and from dist/.
import { parentPort } from 'node:worker_threads';

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);

/** @type {{ ort: typeof import('onnxruntime-node'), session: import('onnxruntime-node').InferenceSession } | undefined} */
let held;

/** @type {Record<string, (args: any) => Promise<{ value: unknown, transfer?: ArrayBuffer[] }>>} */
const calls = {
  /** @param {{ bytes: Uint8Array, threads: number }} args */
  async open({ bytes, threads }) {
    let ort;
    try {
      ort = (await import('onnxruntime-node')).default;
    } catch (error) {
      throw Object.assign(new Error(message(error)), { stage: 'package' });
    }
    const session = await ort.InferenceSession.create(bytes, {
      intraOpNumThreads: threads,
      // What goes wrong is thrown as well; a library does not write to stderr.
      logSeverityLevel: 4,
      // Threads that wait without sleeping take the cores from those that decode pictures.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    held = { ort, session };
    return { value: null };
  },

  /**
   * @param {{
   *   feeds: Record<string, { type: 'float32' | 'float16' | 'int64' | 'int32', data: any, dims: number[] }>,
   *   output: string,
   * }} args
   */
  async run({ feeds, output }) {
    if (held === undefined) throw new Error('no session is open');
    const { ort, session } = held;
    const tensors = Object.entries(feeds).map(([name, { type, data, dims }]) => [
      name,
      new ort.Tensor(type, data, dims),
    ]);
    const { [output]: answer } = await session.run(Object.fromEntries(tensors), [output]);
    if (!(answer?.data instanceof Float32Array)) throw new Error(`the output ${output} is not float32`);
    // The runtime may own the memory of its answer: what leaves the thread is a copy.
    const data = Float32Array.from(answer.data);
    return { value: { data, dims: [...answer.dims] }, transfer: [data.buffer] };
  },
};

port.on('message', async ({ call, name, args }) => {
  try {
    const { value, transfer = [] } = await calls[name](args);
    port.postMessage({ call, value }, transfer);
  } catch (error) {
    const stage = error instanceof Error && 'stage' in error ? error.stage : name;
    port.postMessage({ call, error: { stage, message: message(error) } });
  }
});

/** @param {unknown} error */
function message(error) {
  return error instanceof Error ? error.message : String(error);
}
