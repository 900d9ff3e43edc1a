// Signals of the master: one signal, one action. Imported first by main.ts, because Node opens its inspector on a
// SIGUSR1 that nobody listens for: until the actions are known, what arrives is kept.

import { constants } from 'node:os'

const HANDLED = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const
type Handled = (typeof HANDLED)[number]

/** What the master does on signals, in nginx's meanings; each gets `1 (SIGHUP)` to log. */
export interface SignalActions {
  /** TERM, INT: end at once. */
  stop(signal: string): void
  /** QUIT: finish what is in flight, then end. */
  quit(signal: string): void
  /** HUP: read the configuration again. */
  reload(signal: string): void
  /** USR1: reopen log files. */
  reopen(signal: string): void
  /** USR2 (upgrade of the binary) and WINCH (workers end, the master stays): nothing weir does. */
  unsupported(signal: string): void
}

const actionOf: Record<Handled, keyof SignalActions> = {
  SIGTERM: 'stop',
  SIGINT: 'stop',
  SIGQUIT: 'quit',
  SIGHUP: 'reload',
  SIGUSR1: 'reopen',
  SIGUSR2: 'unsupported',
  SIGWINCH: 'unsupported',
}

let actions: SignalActions | null = null
const early: Handled[] = []

process.on('SIGUSR1', () => deliver('SIGUSR1'))

/** Acts on signals from now on, and on a SIGUSR1 that came before. */
export function handleSignals(handler: SignalActions): void {
  actions = handler
  for (const signal of HANDLED) if (signal !== 'SIGUSR1') process.on(signal, () => deliver(signal))
  for (const signal of early.splice(0)) deliver(signal)
}

function deliver(signal: Handled): void {
  if (actions === null) early.push(signal)
  else actions[actionOf[signal]](`${constants.signals[signal]} (${signal})`)
}
