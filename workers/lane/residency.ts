/**
 * Which models a lane keeps when not all fit into its share of memory, and when it loads which. As long as all fit, all are
 * kept and this says nothing. Beyond that each model is loaded once, so that its canary tells whether it runs here; then it
 * comes when rows of it wait, and takes the place of what nobody asks for: least reload time saved per byte first, what
 * somebody waits for (speech) last. What was loaded stays for five loads' time at least, so that models that share a place take turns, and no more than a sixth
 * of a lane's time goes into loading. What writes token by token begins no more rows once others have waited that long, and
 * goes with its last one. Pure.
 */

export interface LaneContents {
  readonly nowMs: number;
  /** Units that the lane has, and those that it could load now. */
  readonly resident: readonly string[];
  readonly absent: readonly string[];
  /** Units of rows that wait, with the arrival of the first. */
  readonly waits: ReadonlyMap<string, number>;
  /** Whether another lane has it. */
  isElsewhere(unit: string): boolean;
  /** Rows of it are being written here: it can not go. */
  isHeld(unit: string): boolean;
}

export interface ResidencyStep {
  readonly unload: readonly string[];
  readonly load: string | null;
  /** Rows are being written with them: they take no others, so that their place gets free. */
  readonly leaving: readonly string[];
  /** Rows wait for a model that can not come yet: ask again soon. */
  readonly isWaiting: boolean;
}

const none: ResidencyStep = { unload: [], load: null, leaving: [], isWaiting: false };

/** What a load told. */
export interface Load {
  readonly bytes: number;
  readonly loadMs: number;
  /** Of a task that somebody waits for. */
  readonly isAwaited: boolean;
}

interface History extends Load {
  /** Calls, of which half count after five minutes. */
  uses: number;
  lastUseMs: number;
  loadedMs: number;
}

/** Of the model that would come: so long the other has been there, and so long rows wait before they displace what is asked for. */
const loadsOfPatience = 5;
const patienceMsMin = 1000;
const usesHalfMs = 300_000;
/** Rows of awaited models are ahead of others by so much, and not for ever: two such models would shut out a third one. */
const awaitedLeadMs = 10_000;

export class Residency {
  readonly #laneBytes: number;
  readonly #known = new Map<string, History>();
  readonly #doubted = new Set<string>();

  /** `laneBytes`: what the models of one lane may take; infinite where nobody bounds it. */
  constructor(laneBytes: number) {
    this.#laneBytes = laneBytes;
  }

  /** Bytes of an earlier load count, too: what a lane let go of it reuses, and a load into that looks small. */
  noteLoad(unit: string, load: Load, loadedMs: number): void {
    const { bytes = 0, uses = 0, lastUseMs = Number.NEGATIVE_INFINITY } = this.#known.get(unit) ?? {};
    this.#known.set(unit, { ...load, bytes: Math.max(bytes, load.bytes), uses, lastUseMs, loadedMs });
    this.#doubted.delete(unit);
  }

  /** It failed or was set aside, so its queues are closed and no row will ask for it: it is tried as if it never was. */
  doubt(unit: string): void {
    this.#doubted.add(unit);
  }

  noteUse(unit: string, nowMs: number): void {
    const history = this.#known.get(unit);
    if (!history) return;
    history.uses = usesAt(history, nowMs) + 1;
    history.lastUseMs = nowMs;
  }

  /** Of one lane that has it; 0 until one did. */
  bytesOf(unit: string): number {
    return this.#known.get(unit)?.bytes ?? 0;
  }

  forget(unit: string): void {
    this.#known.delete(unit);
    this.#doubted.delete(unit);
  }

  fits(resident: readonly string[]): boolean {
    return this.#sum(resident) <= this.#laneBytes;
  }

  /** What an idle lane does before its next call. */
  next(lane: LaneContents): ResidencyStep {
    const free = this.#laneBytes - this.#sum(lane.resident);
    // The last load turned out larger than its place. One model is kept, however large.
    const excess = free < 0 && lane.resident.length > 1 ? this.#pickExcess(lane, -free) : null;
    if (excess) {
      const gone = new Set(excess);
      const resident = lane.resident.filter((unit) => !gone.has(unit));
      // At once on to what comes next: nobody asks again until a row comes, and rows of what is untried do not come.
      const step = this.next({ ...lane, resident, absent: [...lane.absent, ...excess] });
      return { ...step, unload: [...excess, ...step.unload] };
    }
    const untried = lane.absent.find((unit) => !this.#known.has(unit) || this.#doubted.has(unit));
    if (untried) return { ...none, load: untried };
    const wanted = this.#mostWanted(lane);
    if (wanted) {
      const missing = Math.min(this.bytesOf(wanted) - free, this.#sum(lane.resident));
      const room = missing > 0 ? this.#makeRoom(lane, wanted, missing) : none;
      return room.isWaiting ? room : { ...room, load: wanted };
    }
    const fits = lane.absent.find((unit) => this.bytesOf(unit) <= free);
    return { ...none, load: fits ?? null, isWaiting: lane.absent.some((unit) => lane.waits.has(unit)) };
  }

  /** What nobody asks for, or else whatever is not being written with. */
  #pickExcess({ resident, waits, isHeld, nowMs }: LaneContents, bytes: number): string[] | null {
    const free = resident.filter((unit) => !isHeld(unit));
    const unasked = free.filter((unit) => !waits.has(unit));
    return this.#pickVictims(unasked, bytes, nowMs) ?? this.#pickVictims(free, bytes, nowMs);
  }

  /** Who waits longest, an awaited one with a lead; what another lane serves can wait for its patience. */
  #mostWanted({ absent, waits, isElsewhere, nowMs }: LaneContents): string | undefined {
    const since = (unit: string) => waits.get(unit) as number;
    const rank = (unit: string) => since(unit) - (this.#isAwaited(unit) ? awaitedLeadMs : 0);
    return absent
      .filter((unit) => waits.has(unit) && (!isElsewhere(unit) || nowMs - since(unit) > this.#patienceFor(unit)))
      .sort((a, b) => rank(a) - rank(b))[0];
  }

  /** First what nobody asks for; what rows wait for only once those of this one have waited their time. */
  #makeRoom(lane: LaneContents, wanted: string, missing: number): ResidencyStep {
    const patience = this.#patienceFor(wanted);
    const rested = lane.resident.filter((unit) => lane.nowMs - (this.#known.get(unit)?.loadedMs ?? 0) >= patience);
    const free = rested.filter((unit) => !lane.isHeld(unit));
    const unasked = free.filter((unit) => !lane.waits.has(unit));
    const pick = (units: readonly string[]) => this.#pickVictims(units, missing, lane.nowMs);
    const isPatient = lane.nowMs - (lane.waits.get(wanted) as number) < patience;
    const unload = pick(unasked) ?? (isPatient ? null : pick(free));
    if (unload) return { ...none, unload };
    const leaving = isPatient ? [] : (pick(rested) ?? []).filter((unit) => lane.isHeld(unit));
    return { ...none, leaving, isWaiting: true };
  }

  /** Those of them that go; null when all would not make room enough. */
  #pickVictims(units: readonly string[], bytes: number, nowMs: number): string[] | null {
    const order = units.toSorted(
      (a, b) =>
        Number(this.#isAwaited(a)) - Number(this.#isAwaited(b)) || this.#worth(a, nowMs) - this.#worth(b, nowMs),
    );
    const victims: string[] = [];
    let freed = 0;
    for (const unit of order) {
      if (freed >= bytes) break;
      victims.push(unit);
      freed += this.bytesOf(unit);
    }
    return freed >= bytes ? victims : null;
  }

  /** Ms of loading that keeping it saves, by its uses of the last minutes, per byte. */
  #worth(unit: string, nowMs: number): number {
    const history = this.#known.get(unit);
    return history ? (usesAt(history, nowMs) * history.loadMs) / Math.max(1, history.bytes) : 0;
  }

  #patienceFor(unit: string): number {
    return Math.max(patienceMsMin, loadsOfPatience * (this.#known.get(unit)?.loadMs ?? 0));
  }

  #isAwaited(unit: string): boolean {
    return this.#known.get(unit)?.isAwaited ?? false;
  }

  #sum(units: readonly string[]): number {
    return units.reduce((sum, unit) => sum + this.bytesOf(unit), 0);
  }
}

function usesAt({ uses, lastUseMs }: History, nowMs: number): number {
  return uses === 0 ? 0 : uses * 0.5 ** ((nowMs - lastUseMs) / usesHalfMs);
}
