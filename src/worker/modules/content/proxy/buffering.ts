// Directives about what is kept of responses for clients that do not take them at once.

import type { BuildContext } from '../../../../shared/conf/build.ts'
import { type Command, HTTP_ANY } from '../../../../shared/conf/command.ts'
import { type Buffers, buffers, flag, offset, size } from '../../../../shared/conf/setters.ts'
import { setTempPath, type TempPath } from '../../../body/temp-path.ts'
import { type ComplexSize, complexSize } from '../../../http/complex-size.ts'
import {
  type BufferingSettings,
  bufferSizes,
  STREAMS,
  setUnbufferedTypes,
  type TypeList,
} from '../../../upstream/buffering/conf.ts'

export interface ProxyBufferingConf {
  proxyBuffering: boolean
  proxyBufferSize: number
  proxyBuffers: Buffers
  /** -1: twice the largest buffer; so is proxyTempFileWriteSize. */
  proxyBusyBuffersSize: number
  proxyMaxTempFileSize: number
  proxyTempFileWriteSize: number
  proxyTempPath: TempPath | undefined
  proxyLimitRate: ComplexSize
  proxyUnbufferedTypes: TypeList
}

const PAGE = 4096
const GIBIBYTE = 1024 ** 3

export const bufferingCommands: readonly Command[] = [
  { name: 'proxy_buffering', in: HTTP_ANY, args: 1, set: flag(), default: true },
  {
    name: 'proxy_unbuffered_types',
    in: HTTP_ANY,
    args: [1, Infinity],
    set: setUnbufferedTypes,
    default: STREAMS,
  },
  { name: 'proxy_buffer_size', in: HTTP_ANY, args: 1, set: size(), default: PAGE },
  { name: 'proxy_buffers', in: HTTP_ANY, args: 2, set: buffers(), default: { count: 8, size: PAGE } },
  { name: 'proxy_busy_buffers_size', in: HTTP_ANY, args: 1, set: size(), default: -1 },
  { name: 'proxy_max_temp_file_size', in: HTTP_ANY, args: 1, set: offset(), default: GIBIBYTE },
  { name: 'proxy_temp_file_write_size', in: HTTP_ANY, args: 1, set: size(), default: -1 },
  { name: 'proxy_temp_path', in: HTTP_ANY, args: [1, 4], set: setTempPath },
  { name: 'proxy_limit_rate', in: HTTP_ANY, args: 1, set: complexSize, default: 0 },
]

/** Levels of the folder that is used where none is named, as in nginx. */
const LEVELS = [1, 2]

/** For a location that proxies. */
export function bufferingSettings(conf: ProxyBufferingConf, context: BuildContext): BufferingSettings {
  return {
    on: conf.proxyBuffering,
    ...bufferSizes(sizesOf(conf), 'proxy', context),
    path: conf.proxyTempPath ?? defaultPath(context),
    unbuffered: conf.proxyUnbufferedTypes,
  }
}

/** Refuses sizes that do not go together, as nginx does at every level. */
export function checkBufferSizes(conf: ProxyBufferingConf, context: BuildContext): void {
  bufferSizes(sizesOf(conf), 'proxy', context)
}

function sizesOf(conf: ProxyBufferingConf) {
  return {
    bufferSize: conf.proxyBufferSize,
    buffers: conf.proxyBuffers,
    busyBuffersSize: conf.proxyBusyBuffersSize,
    maxTempFileSize: conf.proxyMaxTempFileSize,
    tempFileWriteSize: conf.proxyTempFileWriteSize,
  }
}

function defaultPath(context: BuildContext): TempPath {
  const folder = context.path('proxy_temp')
  const levels = context.tempFolders.get(folder) ?? LEVELS
  context.tempFolders.set(folder, levels)
  return { folder, levels }
}
