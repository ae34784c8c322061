import { hash } from 'node:crypto'
import { formatAmount } from '../../host/values/money.ts'
import {
  dayOf,
  type AccountStatement,
  type EntrySum,
  type StatementEntry,
  type WriteStatement,
} from './account-statement.ts'

/** Writes a statement as camt.053.001.08, the bank-to-customer statement of ISO 20022
 * (https://www.iso20022.org/catalogue-messages). Ids are written without hyphens, because the message has
 * room for 34 characters. */
export const writeCamt: WriteStatement = async function* (statement, pages) {
  yield headOf(statement)
  for await (const page of pages) {
    let text = ''
    for (const entry of page) text += entryOf(entry, statement)
    yield text
  }
  yield `${additionalInformation(statement)}</Stmt></BkToCstmrStmt></Document>\n`
}

function headOf(statement: AccountStatement): string {
  const { account, from, to, asOf } = statement
  const created = tag('CreDtTm', asOf.toISOString())
  const period =
    from && to
      ? tag('FrToDt', tag('FrDtTm', from.toISOString()) + tag('ToDtTm', lastMoment(to).toISOString()))
      : ''
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>' +
    `${tag('GrpHdr', tag('MsgId', messageId(statement)) + created)}\n` +
    `<Stmt>${tag('Id', messageId(statement))}${created}${period}` +
    `${tag('Acct', accountId(account.id) + tag('Ccy', account.currency))}\n` +
    balances(statement) +
    `${summary(statement)}\n`
  )
}

/** An id that is the same for the same question: it must fit in 35 characters. */
function messageId(statement: AccountStatement): string {
  const { account, basis, from, to, fromVersion, toVersion, knownVersion } = statement
  const question = [
    account.id,
    basis,
    from?.toISOString(),
    to?.toISOString(),
    fromVersion,
    toVersion,
    knownVersion,
  ]
  return hash('sha256', question.join('|')).slice(0, 32)
}

function balances(statement: AccountStatement): string {
  const { account, basis, from, to, opening, closing, asOf } = statement
  // What is booked, or what has its value: external code set ExternalBalanceType1Code.
  const [open, close] = basis === 'booking' ? ['OPBD', 'CLBD'] : ['OPAV', 'CLAV']
  const balance = (code: string, minorUnits: bigint, at: Date): string =>
    tag(
      'Bal',
      tag('Tp', tag('CdOrPrtry', tag('Cd', code))) +
        amount(minorUnits, account.currency) +
        tag('Dt', tag('Dt', dayOf(at))),
    ) + '\n'
  return (
    balance(open!, opening, from ?? account.created_at) + balance(close!, closing, to ? lastMoment(to) : asOf)
  )
}

/** The period ends before `to`. */
const lastMoment = (to: Date): Date => new Date(to.getTime() - 1)

function summary({ account, credits, debits, opening, closing }: AccountStatement): string {
  const decimal = (name: string, minorUnits: bigint): string =>
    // The schema allows no more digits.
    String(minorUnits).length > 18 ? '' : tag(name, formatAmount(minorUnits, account.currency))
  const total = (name: string, { count, sum }: EntrySum, net = ''): string =>
    tag(name, tag('NbOfNtries', String(count)) + decimal('Sum', sum) + net)
  const net = closing - opening
  const netAmount = decimal('Amt', absolute(net))
  const all = { count: credits.count + debits.count, sum: credits.sum + debits.sum }
  return tag(
    'TxsSummry',
    total('TtlNtries', all, netAmount && tag('TtlNetNtry', netAmount + direction(net))) +
      total('TtlCdtNtries', credits) +
      total('TtlDbtNtries', debits),
  )
}

function entryOf(entry: StatementEntry, { account }: AccountStatement): string {
  const money = amount(entry.amount, account.currency, '')
  const reference = tag('AcctSvcrRef', withoutHyphens(entry.transactionId))
  return (
    tag(
      'Ntry',
      tag('NtryRef', String(entry.version)) +
        money +
        direction(entry.amount) +
        (entry.type === 'reversal' ? tag('RvslInd', 'true') : '') +
        tag('Sts', tag('Cd', 'BOOK')) +
        tag('BookgDt', tag('DtTm', entry.bookedAt.toISOString())) +
        tag('ValDt', tag('Dt', entry.valueDate)) +
        reference +
        bankTransactionCode(entry) +
        tag(
          'NtryDtls',
          tag(
            'TxDtls',
            tag('Refs', reference) +
              money +
              direction(entry.amount) +
              counterparty(entry) +
              remittance(entry),
          ),
        ) +
        tag('AddtlNtryInf', entry.isFee ? `${entry.type}, fee` : entry.type),
    ) + '\n'
  )
}

/** Domain, family and sub-family by the external code sets of ISO 20022. A reversal has the code of what it
 * takes back (RvslInd says that it is one); its direction is the other one. */
function bankTransactionCode(entry: StatementEntry): string {
  const isReversal = entry.type === 'reversal'
  const isCredit = entry.amount > 0n
  const [domain, family, subFamily] = entry.isFee
    ? ['ACMT', isCredit ? 'MCOP' : 'MDOP', 'CHRG']
    : entry.counterpartyAccountId
      ? ['PMNT', isCredit === isReversal ? 'ICDT' : 'RCDT', 'BOOK']
      : ['PMNT', 'CNTR', isCredit === isReversal ? 'CWDL' : 'CDPT']
  return tag(
    'BkTxCd',
    tag('Domn', tag('Cd', domain!) + tag('Fmly', tag('Cd', family!) + tag('SubFmlyCd', subFamily!))),
  )
}

function counterparty({ amount: signed, counterpartyAccountId, isFee }: StatementEntry): string {
  if (!counterpartyAccountId || isFee) return ''
  return tag('RltdPties', tag(signed > 0n ? 'DbtrAcct' : 'CdtrAcct', accountId(counterpartyAccountId)))
}

const ADDITIONAL_LENGTH_MAX = 500

/** The checkpoint, as it was signed, if there is one. One with the signatures of many keys has no room. */
function additionalInformation({ seal }: AccountStatement): string {
  if (!seal || [...seal.note].length > ADDITIONAL_LENGTH_MAX) return ''
  return `${tag('AddtlStmtInf', escapeXml(seal.note))}\n`
}

const TEXT_LENGTH_MAX = 140

function remittance({ description }: StatementEntry): string {
  if (!description) return ''
  const characters = [...cleanText(description)]
  let lines = ''
  for (let at = 0; at < characters.length; at += TEXT_LENGTH_MAX)
    lines += tag('Ustrd', escapeXml(characters.slice(at, at + TEXT_LENGTH_MAX).join('')))
  return tag('RmtInf', lines)
}

const tag = (name: string, content: string): string => `<${name}>${content}</${name}>`

/** An amount without its sign, and its direction. */
const amount = (minorUnits: bigint, currency: string, after = direction(minorUnits)): string =>
  `<Amt Ccy="${currency}">${formatAmount(absolute(minorUnits), currency)}</Amt>${after}`

const direction = (minorUnits: bigint): string => tag('CdtDbtInd', minorUnits < 0n ? 'DBIT' : 'CRDT')

const absolute = (minorUnits: bigint): bigint => (minorUnits < 0n ? -minorUnits : minorUnits)

const accountId = (id: string): string => tag('Id', tag('Othr', tag('Id', withoutHyphens(id))))

const withoutHyphens = (id: string): string => id.replaceAll('-', '')

// Everything that XML 1.0 has no characters for (https://www.w3.org/TR/xml/#charsets), and carriage returns,
// which a reader would change.
const NO_XML = /[^\t\n\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

/** Replaces what XML can't hold. */
const cleanText = (text: string): string => text.replace(NO_XML, '\ufffd')

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!)
