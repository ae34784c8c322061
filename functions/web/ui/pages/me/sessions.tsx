import { useQuery } from '@tanstack/react-query'
import { sessionsQuery, useEndSessions } from '../../data/me.ts'
import { Button } from '../../parts/button.tsx'
import { DataList } from '../../parts/data-list.tsx'
import { Moment } from '../../parts/moment.tsx'
import { Panel } from '../../parts/panel.tsx'
import { ProblemNote } from '../../parts/problem-note.tsx'
import { useTexts } from '../../texts/define-texts.ts'
import { texts } from './me.texts.ts'

/** Where the reader is signed in, and how they sign out there. */
export function Sessions() {
  const said = useTexts(texts)
  const sessions = useQuery(sessionsQuery())
  const end = useEndSessions()
  const deviceOf = ({ browser, system }: { browser: string | null; system: string | null }): string =>
    browser && system ? said.on(browser, system) : (browser ?? system ?? said.unknownDevice)
  const others = sessions.data?.some((session) => !session.is_current) && (
    <Button disabled={end.isPending} onClick={() => end.mutate('others')}>
      {said.signOutOthers}
    </Button>
  )
  return (
    <Panel title={said.sessions} actions={others} query={sessions} starts="users">
      {(list) => (
        <>
          <ProblemNote problem={end.error} />
          <DataList
            label={said.sessions}
            rows={list}
            keyOf={({ id }) => id}
            columns={[
              { title: said.device, cell: deviceOf },
              { title: said.since, cell: ({ started_at }) => <Moment at={started_at} /> },
              { title: said.lastActive, cell: ({ continued_at }) => <Moment at={continued_at} /> },
              {
                title: said.action,
                cell: (session) =>
                  session.is_current ? (
                    said.here
                  ) : (
                    <Button
                      aria-label={said.signOutOf(deviceOf(session))}
                      disabled={end.isPending}
                      onClick={() => end.mutate({ id: session.id })}
                    >
                      {said.signOut}
                    </Button>
                  ),
              },
            ]}
          />
        </>
      )}
    </Panel>
  )
}
