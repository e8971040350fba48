/** What a person can type next: commands that work as they stand, on this instance. */
import type { Serving } from '../commands/serve.ts';
import type { DemoSummary } from './run-samples.ts';

export function suggestNextSteps({ system, settings, paint }: Serving, summary: DemoSummary): string {
  const jobs = `${system.apiUrl}/v1/jobs`;
  const key = settings.apiKeys.length > 0 ? " -H 'Authorization: Bearer <your key>'" : '';
  const text = summary.sent.find(({ sample }) => 'text' in sample.input);
  const file = summary.sent.find(({ sample }) => 'file' in sample.input);
  const commands: string[] = [];
  if (text && 'text' in text.sample.input) {
    const body = JSON.stringify({ model: text.model.id, input: text.sample.input.text }).replaceAll("'", "'\\''");
    commands.push(`curl -s ${jobs}${key} -H 'Prefer: wait=30' -H 'Content-Type: application/json' -d '${body}'`);
  }
  if (file && 'file' in file.sample.input) {
    commands.push(
      `curl -s ${jobs}${key} -H 'Prefer: wait=30' -F model=${file.model.id} -F file=@${file.sample.input.file}`,
    );
  }
  commands.push(`curl -s '${jobs}?status=succeeded&limit=3'${key}`);
  const lines = commands.map((command) => `  ${command}`).join('\n');
  return `${summary.line}\n\n${paint.bold('Try')}\n${lines}\n\nMillrace keeps serving. Ctrl-C stops it.\n`;
}
