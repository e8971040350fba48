/** The commands of a runbook page, run as an operator would: in bash, with the words of `tools.sh`. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const commandMs = 60_000;

export type Step = 'look' | 'mend';

/** The fenced block of that step. */
export function commandsOf(alert: string, step: Step): string {
  const page = readFileSync(join(root, `monitoring/runbooks/${alert}.md`), 'utf8');
  const block = new RegExp(`\`\`\`sh ${step}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1];
  if (block === undefined) throw new Error(`monitoring/runbooks/${alert}.md has no "${step}" commands.`);
  return block;
}

/** Standard output of the commands. Throws with all that was said when the last one fails. */
export async function runCommands(commands: string, env: Readonly<Record<string, string>>): Promise<string> {
  const script = `. monitoring/runbooks/tools.sh\n${commands}`;
  const child = spawn('bash', ['-o', 'pipefail', '-c', script], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: commandMs,
    killSignal: 'SIGKILL',
  });
  let output = '';
  let said = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (said += chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`The runbook's command ended with ${code}:\n${commands}\n${output}${said}`);
  return output;
}
