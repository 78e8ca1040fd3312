import type { RequestContext } from '../../src/pipeline/context.ts';
import type { Outcome } from '../../src/pipeline/outcome.ts';
import { NOT_PERMITTED, PERMITTED } from './answers.ts';
import {
  caller,
  Draw,
  entity,
  projectFiles,
  reference,
  request,
  type Sample,
  type Scenario,
  uid,
} from './scenario.ts';

/**
 * Sharing of documents and folders, after the `gdrive` example of Cutler et al., "Cedar: A New Language for Expressive, Fast,
 * Safe, and Analyzable Authorization", OOPSLA 2024, section 6, which took it from OpenFGA's sample stores. Rules: public
 * documents are read by all; owners of a document or its folder read, write and share it; owners of the document give it
 * away; owners of a folder create in it; people to whom (or to whose group) a document or folder was shown read it.
 *
 * Hierarchies: what is shown to a person or to one of the person's groups is one list, made when the request comes.
 */
const ACTIONS = ['read', 'write', 'share', 'changeOwner', 'createDocument'];
const DOCUMENTS = names('document', 60);
const FOLDERS = names('folder', 12);

const POLICY = `language 1
policy "drive"
{
    permit "public" when request.parameter["action"] is "read" and request.parameter["visibility"] is "public"
    permit "owner" when request.parameter["action"] in ["read", "write", "share"]
        and (request.parameter["document"] in consumer.owned_documents or request.parameter["folder"] in consumer.owned_folders)
    permit "gives-away" when request.parameter["action"] is "changeOwner" and request.parameter["document"] in consumer.owned_documents
    permit "creates" when request.parameter["action"] is "createDocument" and request.parameter["folder"] in consumer.owned_folders
    permit "viewer" when request.parameter["action"] is "read"
        and (request.parameter["document"] in consumer.viewable or request.parameter["folder"] in consumer.viewable)
}
`;

const CEDAR = `
permit (principal, action == Action::"read", resource) when { resource.isPublic };
permit (principal, action in [Action::"read", Action::"write", Action::"share"], resource)
when { resource in principal.ownedDocuments || resource in principal.ownedFolders };
permit (principal, action == Action::"changeOwner", resource) when { principal.ownedDocuments.contains(resource) };
permit (principal, action == Action::"createDocument", resource) when { resource in principal.ownedFolders };
permit (principal, action == Action::"read", resource) when { resource in principal.viewable };
`;

export function gdrive(count: number): Scenario {
  const lists = ['owned_documents', 'owned_folders', 'viewable'];
  return {
    name: 'gdrive',
    files: projectFiles({
      policy: POLICY,
      route: 'drive',
      path: '/drive/{action}/{folder}/{document}/{visibility}',
      consumerLists: lists,
    }),
    route: 'drive',
    requests: samples(count),
    byHand,
    cedar: { policies: CEDAR, call: cedarCall },
    cel: `(action == "read" && visibility == "public")
      || (action in ["read", "write", "share"] && (document in owned_documents || folder in owned_folders))
      || (action == "changeOwner" && document in owned_documents)
      || (action == "createDocument" && folder in owned_folders)
      || (action == "read" && (document in viewable || folder in viewable))`,
    casbin: [
      `r.f.action == 'read' && r.f.visibility == 'public'`,
      `has(['read', 'write', 'share'], r.f.action) && (has(r.f.owned_documents, r.f.document) || has(r.f.owned_folders, r.f.folder))`,
      `r.f.action == 'changeOwner' && has(r.f.owned_documents, r.f.document)`,
      `r.f.action == 'createDocument' && has(r.f.owned_folders, r.f.folder)`,
      `r.f.action == 'read' && (has(r.f.viewable, r.f.document) || has(r.f.viewable, r.f.folder))`,
    ].map((rule) => ({ rule, effect: 'allow' })),
  };
}

type Drive = Readonly<Record<'owned_documents' | 'owned_folders' | 'viewable', readonly string[]>>;

function byHand(context: RequestContext): Outcome {
  const [action, folder, document, visibility] = context.parameters as [string, string, string, string];
  const mine = context.identity!.consumer.attributes as unknown as Drive;
  const isRead = action === 'read';
  if (isRead && visibility === 'public') return PERMITTED;
  if (isRead || action === 'write' || action === 'share') {
    if (mine.owned_documents.includes(document) || mine.owned_folders.includes(folder)) return PERMITTED;
  }
  if (action === 'changeOwner' && mine.owned_documents.includes(document)) return PERMITTED;
  if (action === 'createDocument' && mine.owned_folders.includes(folder)) return PERMITTED;
  if (isRead && (mine.viewable.includes(document) || mine.viewable.includes(folder))) return PERMITTED;
  return NOT_PERMITTED;
}

function samples(count: number): Sample[] {
  const draw = new Draw(1);
  const people = names('person', 40).map((name) => ({
    name,
    owned_documents: draw.some(DOCUMENTS, 10),
    owned_folders: draw.some(FOLDERS, 8),
    viewable: [...draw.some(DOCUMENTS, 6), ...draw.some(FOLDERS, 6)],
  }));
  const identities = people.map(({ name, ...attributes }) => caller({ name, attributes }));
  return Array.from({ length: count }, () => {
    const who = draw.below(people.length);
    const facts = {
      ...people[who]!,
      action: draw.one(ACTIONS),
      folder: draw.one(FOLDERS),
      document: draw.one(DOCUMENTS),
      visibility: draw.below(4) === 0 ? 'public' : 'private',
    };
    const path = `/drive/${facts.action}/${facts.folder}/${facts.document}/${facts.visibility}`;
    return { context: request(identities[who]!, path), facts };
  });
}

type Facts = Sample['facts'];

function cedarCall(facts: Facts) {
  const texts = facts as Readonly<Record<string, string>>;
  const lists = facts as unknown as Drive;
  const folder = uid('Folder', texts.folder!);
  const document = uid('Document', texts.document!);
  const isCreation = texts.action === 'createDocument';
  const of = (name: string) => reference(name.startsWith('folder') ? 'Folder' : 'Document', name);
  const principal = uid('User', texts.name!);
  return {
    principal,
    action: uid('Action', texts.action!),
    resource: isCreation ? folder : document,
    context: {},
    entities: [
      entity(principal, {
        ownedDocuments: lists.owned_documents.map(of),
        ownedFolders: lists.owned_folders.map(of),
        viewable: lists.viewable.map(of),
      }),
      entity(folder, { isPublic: false }),
      entity(document, { isPublic: texts.visibility === 'public' }, [folder]),
    ],
  };
}

function names(stem: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${stem}${index}`);
}
