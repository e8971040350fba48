/** The verbs of `models` that need no system and no network, as processes: what they print, change and exit with. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { freePort } from '../../shared/testing/free-port.ts';
import { root } from '../commands/run-tool.ts';
import { runModels } from './testing/run-models.ts';

const starter = join(root, 'models/zoo/starter-ner-groceries/1');
let dir: string;
let env: Record<string, string>;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-models-cli-'));
  // A port where nobody listens: no system that runs here by chance answers.
  env = { MODELS_DIR: join(dir, 'home'), MILLRACE_DATA: join(dir, 'data'), ADMIN_PORT: String(await freePort()) };
});
after(() => rmSync(dir, { recursive: true, force: true }));
const models = (...args: string[]) => runModels(args, env);

test('adds a folder, shows and lists it, adds it again as version 2, and removes version by version', async () => {
  const added = await models('add', starter, '--as', 'mine', '--licence', 'MIT');
  assert.equal(added.code, 0, added.err);
  assert.match(added.out, /^mine: version 1, token-classification, q8, in /m);
  assert.equal((await models('add', starter, '--as', 'mine')).code, 0);
  const listed = await models('list', '--json');
  const { models: rows } = JSON.parse(listed.out) as { models: { id: string; version: string; licence: string }[] };
  assert.deepEqual(
    rows.filter(({ id }) => id === 'mine').map(({ version, licence }) => [version, licence]),
    [['2', 'MIT']],
  );
  const shown = await models('show', 'mine');
  assert.equal(shown.code, 0, shown.err);
  assert.match(shown.out, /sha256 +of \d+ files[\s\S]*licence +MIT[\s\S]*source +\S*starter-ner-groceries\/1/);
  assert.match((await models('rm', 'mine@2')).err, /mine@2 is the only version that serves/);
  assert.match((await models('rm', 'mine@..')).err, /has no version folder "\.\."/);
  assert.equal((await models('rm', 'mine@1')).code, 0, 'one that is not served');
  assert.deepEqual(readdirSync(join(dir, 'home/mine')).sort(), ['2', 'manifest.yaml']);
  assert.equal((await models('rm', 'mine')).code, 0);
  assert.deepEqual(readdirSync(join(dir, 'home')), []);
});

test('names what is broken with its fix, in every verb that looks', async () => {
  mkdirSync(join(dir, 'home/cracked/onnx'), { recursive: true });
  writeFileSync(join(dir, 'home/cracked/config.json'), '{"architectures":["BertForTokenClassification"]}');
  writeFileSync(join(dir, 'home/cracked/onnx/net.onnx'), '');
  const [list, show, verify] = [
    await models('list'),
    await models('show', 'cracked'),
    await models('verify', 'cracked'),
  ];
  for (const { out } of [list, show, verify])
    assert.match(out, /found net\.onnx[\s\S]*fix: mv \S+net\.onnx \S+model\.onnx/);
  assert.deepEqual([list.code, show.code, verify.code], [0, 1, 1]);
  assert.match((await models('show', 'craked')).err, /no model "craked"; did you mean "cracked"\?/);
  rmSync(join(dir, 'home/cracked'), { recursive: true });
});

test('removes a link and leaves what it leads to', async () => {
  cpSync(starter, join(dir, 'elsewhere'), { recursive: true });
  mkdirSync(join(dir, 'home'), { recursive: true });
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'home/linked'));
  assert.equal((await models('rm', 'linked')).code, 0);
  assert.ok(existsSync(join(dir, 'elsewhere/config.json')) && !existsSync(join(dir, 'home/linked')));
});

test('says that no system runs, and refuses what it does not know, with exit 1', async () => {
  for (const verb of [['ps'], ['load', 'starter-ner-groceries'], ['unload', 'starter-ner-groceries']]) {
    const ran = await models(...verb);
    assert.equal(ran.code, 1);
    assert.match(ran.err, /does not answer .*no system runs with these settings\.\n\s+fix: npm start/);
  }
  assert.match((await models('lsit')).err, /no command "lsit"\. Did you mean "list"\?/);
  assert.match(
    (await models('list', '--jsn')).err,
    /models -- list has no "--jsn"\. See: npm run models -- list --help/,
  );
  assert.match((await models('rm', 'a', 'b')).err, /has no "b"/);
  const help = await models('pull', '--help');
  assert.deepEqual(
    [help.code, /EXAMPLES[\s\S]*--dtype q8/.test(help.out), help.out.includes('\u001b')],
    [0, true, false],
  );
});
