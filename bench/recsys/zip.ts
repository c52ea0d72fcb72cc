import { fromBuffer } from 'yauzl';

/** The text of the files of an archive whose names end so, in the order of `endings`. */
export async function readZip(archive: Buffer, endings: readonly string[]): Promise<string[]> {
  const found = new Map<string, string>();
  await new Promise<void>((resolve, reject) => {
    fromBuffer(archive, { lazyEntries: true }, (error, zip) => {
      if (error !== null) return reject(error);
      zip.on('error', reject);
      zip.on('end', resolve);
      zip.on('entry', (entry) => {
        const ending = endings.find((each) => entry.fileName.endsWith(each));
        if (ending === undefined) return zip.readEntry();
        zip.openReadStream(entry, (failure, stream) => {
          if (failure !== null) return reject(failure);
          const chunks: Buffer[] = [];
          stream.on('data', (chunk: Buffer) => chunks.push(chunk));
          stream.on('error', reject);
          stream.on('end', () => {
            found.set(ending, Buffer.concat(chunks).toString('utf8'));
            zip.readEntry();
          });
        });
      });
      zip.readEntry();
    });
  });
  return endings.map((ending) => {
    const text = found.get(ending);
    if (text === undefined) throw new Error(`${ending} is not in the archive`);
    return text;
  });
}
