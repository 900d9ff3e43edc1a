// A listening socket that takes no more connections: connecting to it neither succeeds nor fails.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const PROGRAM = `
const server = require('node:net').createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  require('node:fs').writeSync(1, server.address().port + '\\n')
  // Never back to the event loop: nothing is accepted.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})`

export class DeafListener {
  readonly port: number
  readonly #child: ChildProcess
  readonly #filling: Socket[] = []

  private constructor(port: number, child: ChildProcess) {
    this.port = port
    this.#child = child
  }

  static async start(): Promise<DeafListener> {
    const child = spawn(process.execPath, ['-e', PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(child.stdout!, 'data')) as [Buffer]
    const listener = new DeafListener(Number(line.toString()), child)
    // The queue holds one connection more than its length.
    for (let index = 0; index < 2; index++) {
      const socket = connect(listener.port, '127.0.0.1')
      listener.#filling.push(socket)
      await once(socket, 'connect')
    }
    return listener
  }

  async stop(): Promise<void> {
    for (const socket of this.#filling) socket.destroy()
    this.#child.kill('SIGKILL')
    await once(this.#child, 'close')
  }
}
