/** A lane that does nothing, at once: what is left is the cost of the path. */
import { unitOf } from '../../models/repository/model-files.ts';
import type { LaneReply, LaneRequest } from '../../workers/lane/lane-protocol.ts';

process.on('message', (request: LaneRequest) => {
  const reply = (message: LaneReply) => process.send?.(message);
  if (request.type === 'load')
    reply({ type: 'loaded', model: unitOf(request.files), loadMs: 1, canaryMs: 0.1, memoryBytes: 0, writes: null });
  if (request.type === 'run')
    reply({
      type: 'ran',
      call: request.call,
      outcomes: request.rows.map(() => ({ json: '"done"' })),
      computeMs: 0.01,
      postprocessMs: 0,
    });
});
process.on('disconnect', () => process.exit(0));
