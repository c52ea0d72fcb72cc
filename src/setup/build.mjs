// npm run build: the native core and dist/.
import { ensureBuilt } from './ensure.mjs';
import { script } from './report.mjs';

await script(() => ensureBuilt().then(() => 0));
