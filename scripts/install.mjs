// Installs what the lockfile names before a script that needs it, so that the first command in a clone works. Runs on
// the host's own node (20 or later) and without any package.
import { execSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const STAMP = 'node_modules/.paula-lock-hash';
const hash = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
const installed = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : undefined;

if (installed !== hash) {
  console.log(`installing packages: ${installed ? 'package-lock.json has changed' : 'first start in this clone'}`);
  execSync('npm ci --no-audit --no-fund', { stdio: 'inherit' });
  writeFileSync(STAMP, hash);
}
