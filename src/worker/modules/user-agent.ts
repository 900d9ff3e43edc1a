// Which old browser a User-Agent is of, as nginx tells them apart: for keepalive_disable.

/** MSIE 4 to 6, but for 6 with Windows XP's second service pack; not Opera, which names itself so too. */
export function isMsie6(agent: string): boolean {
  const at = agent.indexOf('MSIE ')
  if (at < 0 || at + 7 >= agent.length || agent[at + 6] !== '.' || agent.includes('Opera')) return false
  const version = agent[at + 5]
  return version === '4' || version === '5' || (version === '6' && !agent.includes('SV1', at + 8))
}

/** Safari on a Mac; not the browsers that name it among others. */
export function isSafari(agent: string): boolean {
  const at = agent.indexOf('MSIE ')
  if ((at >= 0 && at + 7 < agent.length) || agent.includes('Opera')) return false
  if (agent.includes('Gecko/') || agent.includes('Chrome/')) return false
  return agent.includes('Safari/') && agent.includes('Mac OS X')
}
