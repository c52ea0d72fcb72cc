// npm runs it before `npm pack`: the tarball holds dist/ and a binary for this platform, both of the sources as they are now. A release, whose
// binaries come from machines of their own, packs with --ignore-scripts.
import { ensureBuilt } from './ensure.mjs';
import { prebuild } from './prebuild.mjs';
import { script } from './report.mjs';

await script(async () => {
  await ensureBuilt({ optional: false });
  await prebuild();
  return 0;
});
