// Installs what the lockfile names before a script that needs it, so that the first command in a clone works. Runs on
// the host's own node (20 or later) and without any package.
import { execSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const STAMP = 'node_modules/.paula-lock-hash';
const sha256 = (content) => createHash('sha256').update(content).digest('hex');
const hash = sha256(readFileSync('package-lock.json'));
const isInstalled = () => existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash;

if (!isInstalled()) {
  const release = holdLock();
  try {
    if (!isInstalled()) install();
  } finally {
    release();
  }
}

function install() {
  console.log(
    `installing packages: ${existsSync(STAMP) ? 'package-lock.json has changed' : 'first start in this clone'}`,
  );
  execSync('npm ci --no-audit --no-fund', { stdio: 'inherit' });
  writeFileSync(STAMP, hash);
}

/** Two installs into one folder destroy each other: the second waits, as long as the process of the first is there. */
function holdLock() {
  const lock = join(tmpdir(), `paula-install-${sha256(process.cwd()).slice(0, 16)}`);
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = readOrEmpty(lock);
    if (owner === '' || isAlive(Number(owner))) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    else rmSync(lock, { force: true });
  }
}

function readOrEmpty(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function isAlive(pid) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
