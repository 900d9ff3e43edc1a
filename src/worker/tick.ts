// One turn of the event loop: its time, read from the clock once, and work gathered during it and done once at its
// end: log lines first, then connections to close, so that a line is in its file before the client can see its
// connection end.

type Task = () => void

const first: Task[] = []
const last: Task[] = []
let scheduled = false
/** 0: not read in this turn. */
let moment = 0
let monotonic = 0

/** Milliseconds since the epoch, the same all through a turn of the event loop. */
export function now(): number {
  if (moment === 0) {
    moment = Date.now()
    schedule()
  }
  return moment
}

/** Runs `task` at the end of this turn, before every `atTickEnd` task. */
export function beforeTickEnd(task: Task): void {
  first.push(task)
  schedule()
}

/** Runs `task` at the end of this turn. */
export function atTickEnd(task: Task): void {
  last.push(task)
  schedule()
}

/** Milliseconds of the monotonic clock, the same all through a turn. */
export function monotonicNow(): number {
  if (monotonic === 0) {
    monotonic = performance.now()
    schedule()
  }
  return monotonic
}

function schedule(): void {
  if (scheduled) return
  scheduled = true
  setImmediate(run)
}

/** Runs everything gathered so far; for the end of a thread's life. */
export function run(): void {
  scheduled = false
  moment = 0
  monotonic = 0
  drain(first)
  drain(last)
}

/** Tasks may add tasks: these run in the same pass. */
function drain(tasks: Task[]): void {
  for (let index = 0; index < tasks.length; index++) tasks[index]!()
  tasks.length = 0
}
