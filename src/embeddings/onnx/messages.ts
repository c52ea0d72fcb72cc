/**
 * The messages of onnx.proto (github.com/onnx/onnx, Apache-2.0) that nigh reads or writes, with the fields that it needs of each:
 * numbers and names are those of the standard. What is left out here is skipped when a model is read, and never lost, because a
 * model is only rewritten as bytes (model.ts).
 */
import protobuf from 'protobufjs/light.js';

export interface TensorProto {
  dims?: number[];
  dataType?: number;
  name?: string;
  rawData?: Uint8Array;
  /** 1: the values lie in another file. */
  dataLocation?: number;
}

export interface AttributeProto {
  name: string;
  type?: number;
  i?: number;
  s?: Uint8Array;
  ints?: number[];
  /** A subgraph, unread. */
  g?: Uint8Array;
  graphs?: Uint8Array[];
}

export interface NodeProto {
  input?: string[];
  output?: string[];
  name?: string;
  opType?: string;
  attribute?: AttributeProto[];
}

export interface ValueInfoProto {
  name?: string;
  type?: {
    tensorType?: { elemType?: number; shape?: { dim?: { dimValue?: number; dimParam?: string }[] } };
  };
}

export interface GraphProto {
  node?: NodeProto[];
  name?: string;
  initializer?: TensorProto[];
  input?: ValueInfoProto[];
  output?: ValueInfoProto[];
}

export interface ModelProto {
  irVersion?: number;
  producerName?: string;
  graph?: GraphProto;
  opsetImport?: { domain?: string; version?: number }[];
}

/** TensorProto.DataType */
export const elementType = { float32: 1, float16: 10, int32: 6, int64: 7 } as const;
/** AttributeProto.AttributeType */
export const attributeType = { int: 2, string: 3, ints: 7 } as const;
/** ModelProto.graph, GraphProto.node and GraphProto.output. */
export const fieldNumber = { modelGraph: 7, graphNode: 1, graphOutput: 12 } as const;

const one = (id: number, type: string) => ({ id, type });
const many = (id: number, type: string) => ({ id, type, rule: 'repeated' });

const root = protobuf.Root.fromJSON({
  nested: {
    ModelProto: {
      fields: {
        irVersion: one(1, 'int64'),
        producerName: one(2, 'string'),
        graph: one(fieldNumber.modelGraph, 'GraphProto'),
        opsetImport: many(8, 'OperatorSetIdProto'),
      },
    },
    OperatorSetIdProto: { fields: { domain: one(1, 'string'), version: one(2, 'int64') } },
    GraphProto: {
      fields: {
        node: many(fieldNumber.graphNode, 'NodeProto'),
        name: one(2, 'string'),
        initializer: many(5, 'TensorProto'),
        input: many(11, 'ValueInfoProto'),
        output: many(fieldNumber.graphOutput, 'ValueInfoProto'),
      },
    },
    NodeProto: {
      fields: {
        input: many(1, 'string'),
        output: many(2, 'string'),
        name: one(3, 'string'),
        opType: one(4, 'string'),
        attribute: many(5, 'AttributeProto'),
      },
    },
    AttributeProto: {
      fields: {
        name: one(1, 'string'),
        i: one(3, 'int64'),
        s: one(4, 'bytes'),
        g: one(6, 'bytes'),
        ints: many(8, 'int64'),
        graphs: many(11, 'bytes'),
        type: one(20, 'int32'),
      },
    },
    TensorProto: {
      fields: {
        dims: many(1, 'int64'),
        dataType: one(2, 'int32'),
        name: one(8, 'string'),
        rawData: one(9, 'bytes'),
        dataLocation: one(14, 'int32'),
      },
    },
    ValueInfoProto: { fields: { name: one(1, 'string'), type: one(2, 'TypeProto') } },
    TypeProto: { fields: { tensorType: one(1, 'TensorTypeProto') } },
    TensorTypeProto: { fields: { elemType: one(1, 'int32'), shape: one(2, 'TensorShapeProto') } },
    TensorShapeProto: { fields: { dim: many(1, 'DimensionProto') } },
    DimensionProto: { fields: { dimValue: one(1, 'int64'), dimParam: one(2, 'string') } },
  },
});

const modelType = root.lookupType('ModelProto');
const graphType = root.lookupType('GraphProto');

/** @throws what protobufjs throws where the bytes are no message */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return modelType.toObject(modelType.decode(bytes), { longs: Number }) as ModelProto;
}

export function encodeModel(model: ModelProto): Uint8Array {
  return modelType.encode(modelType.fromObject(model)).finish();
}

export function encodeGraph(graph: GraphProto): Uint8Array {
  return graphType.encode(graphType.fromObject(graph)).finish();
}

/** One field of a message as it stands in the bytes, its tag included. */
export interface RawField {
  readonly number: number;
  readonly bytes: Uint8Array;
  /** What a field of bytes or a message holds, without tag and length. */
  readonly content: () => Uint8Array;
}

/** The fields of a message in their order: what is put together from them again loses nothing, known here or not. */
export function* rawFields(message: Uint8Array): Generator<RawField> {
  const reader = protobuf.Reader.create(message);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    const inside = reader.pos;
    reader.skipType(tag & 7);
    yield {
      number: tag >>> 3,
      bytes: message.subarray(start, reader.pos),
      content: () => protobuf.Reader.create(message.subarray(inside)).bytes(),
    };
  }
}

/** A field that holds a message or bytes. */
export function rawField(number: number, content: Uint8Array): Uint8Array {
  return protobuf.Writer.create()
    .uint32((number << 3) | 2)
    .bytes(content)
    .finish();
}
