import { NighError } from '../../core/errors.js';

/** The releases that nigh is tested with, and what an error tells people to install. */
export const optionalPackages = { 'onnxruntime-node': '1.30.0', sharp: '0.35.5' } as const;

/** OPTIONAL_PACKAGE with the command that helps. */
export function packageMissing(name: keyof typeof optionalPackages, need: string, cause: unknown): NighError {
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
  // Its install script fetches a provider for graphics processors, and fails where it cannot; the library itself is in the package.
  const variable = name === 'onnxruntime-node' ? 'ONNXRUNTIME_NODE_INSTALL=skip ' : '';
  return new NighError(
    'OPTIONAL_PACKAGE',
    `${need} needs the package ${name}, which is not installed or cannot be loaded: ` +
      `${variable}npm install ${name}@${optionalPackages[name]}. (${reason})`,
    { cause },
  );
}
