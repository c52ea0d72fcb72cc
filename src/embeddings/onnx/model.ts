/** ONNX models as files: what they take and give, and rewriting one so that any tensor inside is its output. */
import { readFile } from 'node:fs/promises';
import { describe, NighError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';
import { fileError } from '../../data/file-error.js';
import {
  attributeType,
  decodeModel,
  elementType,
  encodeGraph,
  fieldNumber,
  type GraphProto,
  type NodeProto,
  rawField,
  rawFields,
  type ValueInfoProto,
} from './messages.js';

/** How a tensor becomes rows: as it is, `[N, …]` laid flat, or the mean over everything behind the channels of `[N, C, …]`. */
export type SpatialPool = 'none' | 'mean';

export interface TensorInfo {
  readonly name: string;
  /** Name of the element type, or its number in the standard. */
  readonly type: keyof typeof elementType | number;
  /** Undefined where the model does not say the shape; a dimension is undefined where it is free. */
  readonly shape: readonly (number | undefined)[] | undefined;
}

export class OnnxModel {
  /** What has to be fed: inputs without a value of their own. */
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly string[];
  readonly #graph: GraphProto;

  private constructor(
    readonly bytes: Uint8Array,
    /** The file, for messages. */
    readonly origin: string,
    graph: GraphProto,
  ) {
    this.#graph = graph;
    const valued = new Set(graph.initializer?.map(({ name }) => name));
    this.inputs = (graph.input ?? []).filter(({ name }) => !valued.has(name)).map(tensorInfo);
    this.outputs = (graph.output ?? []).map(({ name }) => name ?? '');
  }

  /** @throws NighError NOT_FOUND, IO, and as `parse` */
  static async read(path: string): Promise<OnnxModel> {
    const bytes = await readFile(path).catch((cause: unknown) => {
      throw fileError(path, cause);
    });
    return OnnxModel.parse(bytes, path);
  }

  /** @throws NighError FORMAT for what is no ONNX model, UNSUPPORTED for one whose weights lie in files beside it */
  static parse(bytes: Uint8Array, origin: string): OnnxModel {
    let graph: GraphProto | undefined;
    try {
      graph = decodeModel(bytes).graph;
    } catch (cause) {
      throw new NighError('FORMAT', `${origin}: not an ONNX model: ${(cause as Error).message}.`, { cause });
    }
    if (!graph?.node?.length) throw new NighError('FORMAT', `${origin}: not an ONNX model: it has no graph.`);
    const outside = graph.initializer?.find(({ dataLocation }) => dataLocation === 1);
    if (outside !== undefined) {
      throw new NighError(
        'UNSUPPORTED',
        `${origin}: the values of ${describe(outside.name)} lie in another file. Save the model with its weights inside (one .onnx file).`,
      );
    }
    return new OnnxModel(bytes, origin, graph);
  }

  /** @throws NighError INVALID_ARGUMENT where the model has no such input */
  input(name: string): TensorInfo {
    const found = this.inputs.find((input) => input.name === name);
    if (found !== undefined) return found;
    throw this.#noTensor(
      'input',
      name,
      this.inputs.map((input) => input.name),
    );
  }

  /**
   * Its output, where there is no choice.
   * @param key the option that chooses, for messages
   * @throws NighError INVALID_ARGUMENT
   */
  onlyOutput(key: string): string {
    const [output, second] = this.outputs;
    if (output !== undefined && second === undefined) return output;
    const names = this.outputs.map((name) => JSON.stringify(name)).join(', ');
    throw new NighError('INVALID_ARGUMENT', `${this.origin}: ${key}: expected one of ${names}, got undefined.`);
  }

  /**
   * The model with one output only: this tensor, wherever in the graph it is, as float32, pooled. Nodes that do not lead to it are
   * left out. Everything else is kept byte for byte.
   * @throws NighError INVALID_ARGUMENT where no node of the graph gives a tensor of this name
   */
  withOutput(tensor: string, pool: SpatialPool): { bytes: Uint8Array; output: string } {
    const nodes = this.#graph.node ?? [];
    const names = nodes.flatMap(({ output }) => output ?? []).filter((name) => name !== '');
    if (!names.includes(tensor)) throw this.#noTensor('output or inner tensor', tensor, this.outputs, names);
    const taken = new Set(names);
    const fresh = (name: string): string => (taken.has(name) ? fresh(`${name}_`) : name);
    const cast = fresh('nigh_float32');
    const pooled = fresh('nigh_pooled');
    const output = pool === 'mean' ? pooled : cast;
    const added: GraphProto = {
      node: [
        {
          opType: 'Cast',
          input: [tensor],
          output: [cast],
          attribute: [{ name: 'to', i: elementType.float32, type: attributeType.int }],
        },
        ...(pool === 'mean' ? [{ opType: 'GlobalAveragePool', input: [cast], output: [pooled] }] : []),
      ],
      output: [{ name: output, type: { tensorType: { elemType: elementType.float32 } } }],
    };
    const needed = neededNodes(nodes, tensor);
    const kept: Uint8Array[] = [];
    for (const field of rawFields(this.bytes)) {
      if (field.number !== fieldNumber.modelGraph) kept.push(field.bytes);
      else kept.push(rawField(field.number, trimmedGraph(field.content(), needed)));
    }
    // Occurrences of one message field are merged by every reader of protocol buffers: this adds to the graph above.
    kept.push(rawField(fieldNumber.modelGraph, encodeGraph(added)));
    return { bytes: Buffer.concat(kept), output };
  }

  #noTensor(what: string, name: string, known: readonly string[], near: readonly string[] = known): NighError {
    const list = known.map((each) => JSON.stringify(each)).join(', ');
    return new NighError(
      'INVALID_ARGUMENT',
      `${this.origin}: there is no ${what} called ${describe(name)}.${didYouMean(name, near)} Known: ${list}.`,
    );
  }
}

/** Indexes of the nodes that a tensor depends on; all of them where a node has a subgraph, which may use any tensor by its name. */
function neededNodes(nodes: readonly NodeProto[], tensor: string): Set<number> {
  if (nodes.some(({ attribute }) => attribute?.some(({ g, graphs }) => g !== undefined || graphs !== undefined))) {
    return new Set(nodes.keys());
  }
  const maker = new Map<string, number>();
  for (const [at, { output }] of nodes.entries()) for (const name of output ?? []) maker.set(name, at);
  const needed = new Set<number>();
  const open = [tensor];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const at = maker.get(name);
    if (at === undefined || needed.has(at)) continue;
    needed.add(at);
    open.push(...(nodes[at]?.input ?? []));
  }
  return needed;
}

function trimmedGraph(graph: Uint8Array, needed: ReadonlySet<number>): Uint8Array {
  let node = -1;
  const kept: Uint8Array[] = [];
  for (const field of rawFields(graph)) {
    if (field.number === fieldNumber.graphNode) node++;
    const unwanted =
      field.number === fieldNumber.graphNode ? !needed.has(node) : field.number === fieldNumber.graphOutput;
    if (!unwanted) kept.push(field.bytes);
  }
  return Buffer.concat(kept);
}

function tensorInfo({ name = '', type }: ValueInfoProto): TensorInfo {
  const { elemType = 0, shape } = type?.tensorType ?? {};
  const known = Object.entries(elementType).find(([, number]) => number === elemType)?.[0];
  return {
    name,
    type: (known as keyof typeof elementType | undefined) ?? elemType,
    shape: shape && (shape.dim ?? []).map(({ dimValue = 0 }) => (dimValue > 0 ? dimValue : undefined)),
  };
}
