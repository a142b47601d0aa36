/** What a run of the conformance suite showed: one line for each check, and whether any failed. */
export type Report = {
  /** Names the step that the next checks belong to. */
  step: (name: string) => void;
  /** A check that held, with the figure that was seen where there is one. */
  ok: (check: string, seen?: string) => void;
  /** A check that did not hold. `place` is what its owner has to open: a file with line, a resource, a grant. */
  fail: (check: string, place: string) => void;
  /** A check that could not run; it never counts as passed. */
  skip: (check: string, reason: string) => void;
  readonly counts: { ok: number; failed: number; skipped: number };
};

/** A report that writes each line with `say` as it comes, so that a run that hangs shows where. */
export function report(say: (line: string) => void): Report {
  const counts = { ok: 0, failed: 0, skipped: 0 };
  return {
    counts,
    step: (name) => say(`\n== ${name}`),
    ok(check, seen) {
      counts.ok++;
      say(`ok       ${check}${seen === undefined ? '' : `: ${seen}`}`);
    },
    fail(check, place) {
      counts.failed++;
      say(`FAILED   ${check}\n         at ${place}`);
    },
    skip(check, reason) {
      counts.skipped++;
      say(`SKIPPED  ${check}: ${reason}`);
    },
  };
}
