// COPY … FROM STDIN for PGlite's socket server, which hands over every message of a client on its own, while PGlite takes a COPY only whole: the
// statement, its data and its end in one call. So the data is kept until it ends, the client being told meanwhile that it may send.

const [query, data, done, fail, beginCopy] = ['Q', 'd', 'c', 'f', 'G'].map((letter) => letter.charCodeAt(0));
/** CopyInResponse: the form of the whole, and no columns, which no client of ours looks at. */
const goOn = Uint8Array.of(beginCopy ?? 0, 0, 0, 0, 7, 0, 0, 0);

/**
 * @param {import('@electric-sql/pglite').PGlite} db
 * @returns {import('@electric-sql/pglite').PGlite}
 */
export function withCopy(db) {
  /** @type {Uint8Array[]} */
  let kept = [];
  const send = db.execProtocolRawStream.bind(db);
  /** @type {import('@electric-sql/pglite').PGlite['execProtocolRawStream']} */
  const copying = async (message, options) => {
    const [type] = message;
    if (
      type === query &&
      /^\s*copy\b[\s\S]*\bfrom\s+stdin\b/i.test(Buffer.from(message.subarray(5)).toString('utf8'))
    ) {
      kept = [message];
      options?.onRawData?.(goOn);
      return;
    }
    if (kept.length === 0) return send(message, options);
    kept.push(message);
    if (type === data) return;
    const whole = Buffer.concat(kept);
    kept = [];
    // Who began the copy is gone, and this is somebody else.
    if (type !== done && type !== fail) return send(message, options);
    let isFirst = true;
    return send(whole, {
      ...options,
      onRawData: (/** @type {Uint8Array} */ answer) => {
        // It was answered already.
        const rest =
          isFirst && answer[0] === beginCopy ? answer.subarray(1 + Buffer.from(answer).readInt32BE(1)) : answer;
        isFirst = false;
        if (rest.length > 0) options?.onRawData?.(rest);
      },
    });
  };
  return new Proxy(db, {
    get: (target, name) => {
      if (name === 'execProtocolRawStream') return copying;
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
