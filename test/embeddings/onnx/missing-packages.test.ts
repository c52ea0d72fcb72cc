import { spawnSync } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { loadSharp } from '../../../src/embeddings/image/preprocess.js';
import { repository, requireBuild } from '../../cli/nigh-command.js';
import { nighError } from '../../data/support/expect-error.js';
import { temporaryDirectory } from '../../data/support/temporary-directory.js';

afterEach(() => vi.doUnmock('sharp'));

it('says how to install sharp where it is absent', async () => {
  vi.doMock('sharp', () => {
    throw new Error("Cannot find package 'sharp'");
  });
  await expect(loadSharp()).rejects.toEqual(nighError('OPTIONAL_PACKAGE', 'npm install sharp@0.35.5'));
});

it('says how to install onnxruntime-node where it is absent', async () => {
  requireBuild();
  // The built files that open a session, where no node_modules is above them.
  const folder = await temporaryDirectory({ 'package.json': '{ "type": "module" }' });
  for (const file of [
    'core/errors.js',
    ...['session.js', 'optional-package.js', 'onnx-worker.mjs'].map((name) => `embeddings/onnx/${name}`),
  ]) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await cp(join(repository, 'dist', file), join(folder, file));
  }
  const program = `import { OnnxSession } from './embeddings/onnx/session.js';
    await OnnxSession.open(new Uint8Array(1), 'm.onnx').catch(({ code, message }) => console.log(code, message));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^OPTIONAL_PACKAGE .*ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@1\.30\.0/);
});
