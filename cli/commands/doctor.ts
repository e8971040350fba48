/** `npm run doctor`: looks at all that a running system needs, and says what to type where something is wrong. */
import { defineCommand } from 'citty';
import { examine } from '../doctor/examine.ts';
import { renderFindings } from '../doctor/finding.ts';
import { createPaint } from '../terminal/paint.ts';
import type { CliCommand, CliContext } from './command.ts';

const command: CliCommand = {
  definition: defineCommand({
    meta: {
      name: 'npm run doctor --',
      description: 'Check Redis, disk, ffmpeg, devices, models, clock and ports, running or not; exit 1 if one fails.',
    },
    args: { json: { type: 'boolean', default: false, description: 'One JSON object instead of lines.' } },
    async run({ args, data }) {
      const { env } = data as CliContext;
      const findings = await examine(env);
      const isWell = findings.every(({ level }) => level !== 'fail');
      const paint = createPaint(process.stdout.isTTY === true, env);
      process.stdout.write(
        args.json ? `${JSON.stringify({ ok: isWell, findings })}\n` : renderFindings('doctor', findings, paint),
      );
      return isWell ? 0 : 1;
    },
  }),
  examples: [
    'npm run doctor',
    'npm run doctor -- --json',
    'REDIS_URL=redis://10.0.0.5:6379 npm run doctor',
    'docker compose exec worker millrace doctor',
  ],
};

export default command;
