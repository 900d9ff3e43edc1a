// `msie_padding`, `msie_refresh`: what pages and redirects of weir's own are for browsers that show short pages of errors
// as pages of theirs, or that do not follow redirects as they should.

import { HTTP_ANY } from '../../shared/conf/command.ts'
import { flag } from '../../shared/conf/setters.ts'
import { defineModule } from '../http/module.ts'
import type { Request } from '../http/request.ts'
import { isChrome, isMsie } from './user-agent.ts'

interface MsieConf {
  msiePadding: boolean
  msieRefresh: boolean
}

export const msie = defineModule<MsieConf>({
  name: 'msie',
  commands: [
    { name: 'msie_padding', in: HTTP_ANY, args: 1, set: flag(), default: true },
    { name: 'msie_refresh', in: HTTP_ANY, args: 1, set: flag(), default: false },
  ],
})

const PADDING = '<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n'.repeat(6)

/** What stands behind the page of an error; '' for most browsers. */
export function padding(r: Request): string {
  if (!r.conf(msie).msiePadding) return ''
  const agent = r.fields.get('user-agent') ?? ''
  return isMsie(agent) || isChrome(agent) ? PADDING : ''
}

/** Whether the client gets pages in place of redirects. */
export function needsRefresh(r: Request): boolean {
  return r.conf(msie).msieRefresh && isMsie(r.fields.get('user-agent') ?? '')
}

/** The page that leads on to `location` in place of a redirect with `status`; null: the redirect is sent. */
export function refreshPage(r: Request, status: number, location: string | null): string | null {
  if ((status !== 301 && status !== 302) || location === null || !needsRefresh(r)) return null
  const url = location.replace(UNSAFE, escaped)
  return `<html><head><meta http-equiv="Refresh" content="0; URL=${url}"></head><body></body></html>\r\n`
}

/** nginx's NGX_ESCAPE_REFRESH. */
const UNSAFE = /[ "'\x00-\x1f\x7f-\xff]/g

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}
