/** What the types of events mean, in German. The catalogue itself has the English. */
export const germanEventTypes: Readonly<Record<string, string>> = {
  'account.closed':
    'Ein leeres Konto wurde geschlossen, vom Inhaber oder von einem Mitarbeiter. Es bleibt geschlossen.',
  'account.frozen':
    'Ein Mitarbeiter hat ein Konto gesperrt: Bis zur Freigabe zahlt und empfängt es kein Geld.',
  'account.opened':
    'Ein Konto wurde eröffnet. Eine Einzahlung dabei ist ein eigenes Ereignis transaction.completed.',
  'account.unfrozen': 'Ein Mitarbeiter hat ein Konto freigegeben: Es zahlt und empfängt wieder Geld.',
  'clearing.disputed':
    'Was ein Zahlungsdienst zu einer Aufladung oder Auszahlung sagt, passt nicht oder ist nicht zu buchen. Ein Mitarbeiter muss nachsehen.',
  'document.deleted': 'Ein Dokument wurde gelöscht, vom Besitzer oder von einem Mitarbeiter.',
  'document.processed':
    'Ein Bild wurde aus seinen Bildpunkten neu gemacht, mit einem Vorschaubild, oder abgelehnt.',
  'document.uploaded':
    'Jemand hat ein Dokument hochgeladen oder einen Auszug ablegen lassen. Ein Bild wird noch verarbeitet, alles andere ist fertig.',
  'email.changed':
    'Die E-Mail-Adresse eines Benutzers hat sich geändert. Es kommt mit user.updated und hat auch die alte Adresse.',
  'email.confirmation-requested':
    'Ein Benutzer hat eine neue E-Mail-Adresse und soll sie mit einem Link bestätigen, der dorthin geht.',
  'email.confirmed':
    'Ein Benutzer hat mit einem zugeschickten Link gezeigt, dass die E-Mail-Adresse die eigene ist.',
  'fees.changed':
    'Ein Mitarbeiter hat festgelegt, was Einzahlungen, Auszahlungen oder Überweisungen in einer Währung kosten.',
  'hold.captured':
    'Reserviertes Geld wurde genommen, der Rest ist wieder verfügbar. Die Überweisung ist ein eigenes Ereignis transaction.completed.',
  'hold.expired': 'Niemand hat reserviertes Geld rechtzeitig genommen: Es ist wieder verfügbar.',
  'hold.placed': 'Geld wurde reserviert: Es steht noch im Saldo, ist aber nicht mehr verfügbar.',
  'hold.released': 'Reserviertes Geld wurde freigegeben: Es ist wieder verfügbar.',
  'ledger.broken':
    'Eine Prüfung fand die Bücher einer Währung falsch und hielt ihre Buchungen an, bis ein Mitarbeiter sie fortsetzt.',
  'ledger.resumed':
    'Ein Mitarbeiter hat ein Anhalten aufgehoben, nachdem das Gefundene stimmte oder auf gesperrten Konten liegt.',
  'ledger.sealed':
    'Das Hauptbuch hat eine unterschriebene Wurzel über die Verläufe aller Konten veröffentlicht, die Kunden prüfen können.',
  'ledger.stopped': 'Ein Mitarbeiter hat die Buchungen einer Währung oder alle angehalten.',
  'ledger.verified': 'Alle Bücher wurden vom ersten Eintrag an geprüft, wie jede Nacht.',
  'limits.changed': 'Ein Mitarbeiter hat festgelegt, wie viel von einem Konto abgehen darf.',
  'login.failed':
    'Jemand wollte sich mit einem falschen Passwort anmelden oder mit einer E-Mail-Adresse, die niemand hat.',
  'message.due':
    'Eine Mitteilung soll über einen Kanal gehen, den auch die Erweiterung `channel` nennt. Es kommt für jeden fälligen Versuch neu.',
  'notification.failed': 'Eine Mitteilung konnte nicht verschickt werden und wird nicht mehr versucht.',
  'notification.sent': 'Eine Mitteilung hat die Bank verlassen: Der Dienst ihres Kanals hat sie genommen.',
  'notification.stored':
    'Eine Mitteilung wurde für einen Benutzer gespeichert. Die Erweiterung `channel` ist `webhook`, wenn sie per Webhook gewünscht ist.',
  'order.cancelled': 'Ein Zahlungsauftrag wurde aufgehoben: Dafür wird nichts mehr gezahlt.',
  'order.created': 'Ein Kunde hat eine Überweisung für später bestellt oder für jeden Tag, Woche oder Monat.',
  'order.failed': 'Ein Zahlungsauftrag war fällig, und sein Geld wurde nach allen Versuchen nicht gezahlt.',
  'order.ran': 'Ein Zahlungsauftrag war fällig, und sein Geld wurde gezahlt.',
  'overdraft.changed': 'Ein Mitarbeiter hat den Überziehungsrahmen eines Kontos geändert.',
  'password.changed': 'Das Passwort eines Benutzers hat sich geändert.',
  'password.reset-failed':
    'Jemand hat ein neues Passwort für eine E-Mail-Adresse verlangt, die kein Benutzer hat.',
  'password.reset-requested':
    'Jemand hat ein neues Passwort für einen Benutzer verlangt, der einen Link per E-Mail bekommen soll.',
  'payment.cancelled': 'Eine Zahlung wurde abgebrochen: Ihr Geld ist wieder verfügbar.',
  'payment.created': 'Das Hauptbuch hat das Geld einer neuen Zahlung reserviert.',
  'payment.executed': 'Eine Zahlung wurde ausgeführt: Ihr Geld ist beim Empfänger.',
  'payment.expired': 'Eine Zahlung wurde nicht rechtzeitig ausgeführt: Ihr Geld ist wieder verfügbar.',
  'payment.failed':
    'Eine Zahlung konnte nicht ausgeführt werden. Ihr Geld ist wieder verfügbar, außer ein Mitarbeiter hat es eingezogen.',
  'payment.received':
    'Eine Zahlung an die E-Mail-Adresse eines Kunden ist angekommen. Benutzer und Konto sind die des Empfängers.',
  'payout.completed': 'Jeder Empfänger einer Sammelzahlung wurde bezahlt oder abgelehnt.',
  'payout.requested': 'Ein Kunde will viele Empfänger bezahlen; noch ist keiner bezahlt.',
  'provider.due':
    'An einer Aufladung oder Auszahlung ist etwas zu tun: Ein Dienst hat etwas gesagt oder lange nichts.',
  'redrive.due':
    'Ein erneutes Senden unzustellbarer Ereignisse soll weitergehen. Es kommt wieder, bis das letzte veröffentlicht ist.',
  'sandbox.due':
    'Der Übungsdienst soll eine angenommene Überweisung ausführen und seine Webhooks verschicken.',
  'session.started': 'Ein Benutzer hat sich angemeldet.',
  'topup.completed': 'Ein Zahlungsdienst hat das Geld einer Aufladung eingezogen, und das Konto hat es.',
  'topup.failed': 'Eine Einzahlung ist fehlgeschlagen: Es kam kein Geld.',
  'transaction.completed':
    'Geld wurde bewegt. Das Ereignis enthält alles, was ein Empfänger braucht, so dass keiner nachfragen muss.',
  'transaction.rejected': 'Eine mit „Prefer: respond-async“ bestellte Buchung wurde abgelehnt.',
  'transaction.requested': 'Eine Buchung wurde mit „Prefer: respond-async“ bestellt und soll gebucht werden.',
  'transaction.reversed':
    'Eine Buchung wurde zurückgenommen: Ihr Geld ging durch eine eigene Buchung zurück.',
  'user.deleted': 'Ein Benutzer wurde gelöscht. Alle Sitzungen sind beendet; das Hauptbuch behält die ID.',
  'user.invited':
    'Ein Mitarbeiter hat einen Benutzer angelegt, der per E-Mail einen Link bekommt, um ein Passwort zu wählen.',
  'user.registered':
    'Es gibt einen neuen Benutzer: selbst registriert, von einem Mitarbeiter angelegt oder der erste Mitarbeiter.',
  'user.updated':
    'Name oder E-Mail-Adresse eines Benutzers haben sich geändert. Das Ereignis hat beide, wie sie jetzt sind.',
  'webhook.paused':
    'Die Bank hat einen Webhook ausgesetzt, der nicht zu erreichen war. Er bekommt nichts, bis sein Besitzer ihn fortsetzt.',
  'webhook.queued': 'Für einen Webhook wartet etwas.',
  'withdrawal.completed': 'Ein Zahlungsdienst hat eine Auszahlung ausgezahlt, und das Konto hat sie bezahlt.',
  'withdrawal.failed':
    'Eine Auszahlung ist fehlgeschlagen. Ihr Geld ist wieder verfügbar, außer ein Mitarbeiter hat es eingezogen.',
}
