import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { accountsQuery, type Account } from '../data/accounts.ts'
import { pictureQuery } from '../data/platform.ts'
import { isNamedBy, questionOf } from '../data/question.ts'
import {
  accountsFoundQuery,
  eventsFoundQuery,
  isAsked,
  transactionsFoundQuery,
  usersFoundQuery,
} from '../data/search.ts'
import { useMoneyText } from '../parts/use-money-text.ts'
import { groupsOf, useAccountName } from '../texts/account-names.ts'
import { useTexts } from '../texts/define-texts.ts'
import { formatDate } from '../texts/formats.ts'
import { useLanguage } from '../texts/language.ts'
import { texts } from './search.texts.ts'

/** Something that a text has found, and the page that shows it. */
export interface FoundItem {
  path: string
  name: string
  detail?: string
}

/** What was found of one kind. */
export interface FoundGroup {
  kind: 'pages' | 'accounts' | 'functions' | 'people' | 'transactions' | 'events'
  items: FoundItem[]
  /** What was asked for it; undefined for what needs no asking. */
  query?: Pick<UseQueryResult, 'error' | 'isLoading' | 'refetch'>
}

/** A page of the bank, by the name that its menu has for it. */
export interface NamedPage {
  path: string
  name: string
}

/** Who searches, and where to. */
export interface Searcher {
  role: 'customer' | 'operator'
  pages: readonly NamedPage[]
}

/** How many of a kind are shown of what is searched here. */
const SHOWN = 8

/** Returns what a text has found, by kind, and whether more may come. `typed` is the text in the field,
 * and `settled` the text at the reader's last pause. */
export function useFound(typed: string, settled: string, searcher: Searcher) {
  const here = useFoundHere(typed, searcher)
  const asked = useFoundByBank(settled, searcher)
  // What was found for another text is no answer to this one.
  const isSettled = typed === settled
  const groups = isSettled ? [...here, ...asked] : here
  return {
    groups: groups.filter(({ items }) => items.length > 0),
    failed: groups.filter(({ query }) => query?.error),
    isSearching: isAsked(typed) && (!isSettled || groups.some(({ query }) => query?.isLoading)),
  }
}

/** Returns what was found among the pages, the reader's own accounts and the functions. All are read
 * once, and not again for each text. */
function useFoundHere(text: string, { role, pages }: Searcher): FoundGroup[] {
  const nameOf = useAccountName()
  const money = useMoneyText()
  const accounts = useQuery({ ...accountsQuery(), enabled: role === 'customer' && isAsked(text) })
  const picture = useQuery({ ...pictureQuery(), enabled: role === 'operator' && isAsked(text) })
  const isMeant = useIsMeant(text)
  const named = pages.filter(({ name }) => text.trim() === '' || isNamedBy(text, [name]))
  if (!isAsked(text)) return [{ kind: 'pages', items: named }]
  const functions = (picture.data?.functions ?? []).filter(({ name }) => isNamedBy(text, [name]))
  return [
    { kind: 'pages', items: named },
    {
      kind: 'accounts',
      query: accounts,
      items: (accounts.data ?? [])
        .filter(isMeant)
        .slice(0, SHOWN)
        .map((account) => ({
          path: `/accounts/${account.id}`,
          name: nameOf(account),
          detail: `${groupsOf(account.number)} · ${money(account.balance, account.currency)}`,
        })),
    },
    {
      kind: 'functions',
      query: picture,
      items: functions.slice(0, SHOWN).map(({ name, context }) => ({
        path: `/engine?function=${name}`,
        name,
        detail: context,
      })),
    },
  ]
}

/** Returns a function that says whether the text means an account: by its id, its name, or the beginning of
 * its number. */
function useIsMeant(text: string): (account: Account) => boolean {
  const nameOf = useAccountName()
  const question = questionOf(text)
  const digits = text.replaceAll(/\s/g, '')
  return (account) => {
    if (question && 'id' in question) return account.id === question.id
    const names = [nameOf(account), nameOf({ ...account, name: null }), account.currency]
    return isNamedBy(text, names) || (/^\d+$/.test(digits) && account.number.startsWith(digits))
  }
}

/** Returns what the bank has found. Each kind is a query of its own, so one that fails hides no other. An
 * answer belongs to its text, so a late one replaces nothing. A query for which nobody waits any more is
 * cancelled. */
function useFoundByBank(text: string, { role }: Searcher): FoundGroup[] {
  const said = useTexts(texts)
  const language = useLanguage()
  const nameOf = useAccountName()
  const money = useMoneyText()
  const question = questionOf(text)
  const isOperator = role === 'operator'
  const enabled = isAsked(text)
  const isById = question !== undefined && 'id' in question
  const isWords = question !== undefined && 'query' in question
  const people = useQuery({ ...usersFoundQuery(text), enabled: enabled && isOperator })
  const accounts = useQuery({ ...accountsFoundQuery(text), enabled: enabled && isOperator && !isWords })
  const transactions = useQuery({ ...transactionsFoundQuery(text), enabled })
  const events = useQuery({ ...eventsFoundQuery(text), enabled: enabled && isOperator && isById })
  return [
    {
      kind: 'people',
      query: people,
      items: (people.data ?? []).map(({ id, name, email, role: theirs }) => ({
        path: `/office/customers/${id}`,
        name,
        detail: `${email} · ${said.roles[theirs]}`,
      })),
    },
    {
      kind: 'accounts',
      query: accounts,
      items: (accounts.data ?? []).map((account) => ({
        path: `/office/accounts/${account.id}`,
        name: nameOf(account),
        detail: groupsOf(account.number),
      })),
    },
    {
      kind: 'transactions',
      query: transactions,
      items: (transactions.data ?? []).map(({ id, type, description, amount, currency, timestamp }) => ({
        path: `/transactions/${id}`,
        name: description ?? said.types[type],
        detail: `${money(amount, currency)} · ${formatDate(language, new Date(timestamp))}`,
      })),
    },
    {
      kind: 'events',
      query: events,
      items: (events.data ?? []).map(({ id, type }) => ({
        path: `/engine/events/${id}`,
        name: type ?? id,
        detail: id,
      })),
    },
  ]
}
