/** Lines of the doctor's report, as tests look for them. */
import assert from 'node:assert/strict';
import type { Finding } from '../finding.ts';

export function find(findings: readonly Finding[], name: string): Finding {
  const found = findings.find((finding) => finding.name === name);
  assert.ok(found, `no line "${name}" in ${JSON.stringify(findings)}`);
  return found;
}

export function assertBroken(finding: Finding, level: 'warn' | 'fail', detail: RegExp, fix: RegExp): void {
  assert.equal(finding.level, level, JSON.stringify(finding));
  assert.match(finding.detail, detail);
  assert.match(finding.fix ?? '', fix);
}
