// Which browser a User-Agent is of, as nginx tells them apart.

/** MSIE 4 to 6, but for 6 with Windows XP's second service pack; not Opera, which names itself so too. */
export function isMsie6(agent: string): boolean {
  const at = agent.indexOf('MSIE ')
  if (!isMsie(agent) || agent[at + 6] !== '.') return false
  const version = agent[at + 5]
  return version === '4' || version === '5' || (version === '6' && !agent.includes('SV1', at + 8))
}

/** MSIE of any version; not Opera, which names itself so too. */
export function isMsie(agent: string): boolean {
  const at = agent.indexOf('MSIE ')
  return at >= 0 && at + 7 < agent.length && !agent.includes('Opera')
}

/** Chrome, and the browsers made of it. */
export function isChrome(agent: string): boolean {
  if (!agent.includes('Chrome/') || agent.includes('Gecko/') || agent.includes('Opera')) return false
  return !isMsie(agent)
}

/** Safari on a Mac; not the browsers that name it among others. */
export function isSafari(agent: string): boolean {
  if (isMsie(agent) || agent.includes('Opera')) return false
  if (agent.includes('Gecko/') || agent.includes('Chrome/')) return false
  return agent.includes('Safari/') && agent.includes('Mac OS X')
}
