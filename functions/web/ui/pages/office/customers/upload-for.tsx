import { UploadFile } from '../../../panels/upload/upload-file.tsx'
import { Button } from '../../../parts/button.tsx'
import { PlainPanel } from '../../../parts/panel.tsx'
import { common } from '../../../texts/common.texts.ts'
import { useTexts } from '../../../texts/define-texts.ts'
import { texts } from './customer.texts.ts'

/** Uploads a document for a customer, for example what they brought to the counter. */
export function UploadFor({ userId, close }: { userId: string; close: () => void }) {
  const [said, words] = [useTexts(texts), useTexts(common)]
  return (
    <PlainPanel title={said.upload} actions={<Button onClick={close}>{words.close}</Button>}>
      <p>{said.uploadEffect}</p>
      <UploadFile userId={userId} />
    </PlainPanel>
  )
}
