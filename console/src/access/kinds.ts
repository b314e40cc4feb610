/** Identities as the admin API tells of them. */
export const ROOT = "000000000000";

export interface Holder {
  readonly account: string;
  readonly name: string;
  readonly policies: Readonly<Record<string, object>>;
  readonly attached: readonly string[];
}

export interface User extends Holder {
  readonly groups: readonly string[];
  readonly enabled: boolean;
}

export interface Scope {
  readonly actions?: readonly string[];
  readonly buckets?: readonly string[];
  readonly prefixes?: readonly string[];
  readonly networks?: readonly string[];
}

export interface Key {
  readonly access_key: string;
  readonly account: string;
  readonly user: string;
  readonly expires: string | null;
  readonly enabled: boolean;
  readonly scope: Scope | null;
  readonly description: string;
}

export interface Made {
  readonly access_key: string;
  readonly secret_key: string;
}

/** Whether a text can be the name of a user, a group or a policy: the server's own rule. */
export function isName(name: string): boolean {
  return /^[^\s:/*?$"\p{C}]{1,128}$/u.test(name);
}

/** Parts of a text that are separated by commas or spaces. */
export function split(typed: string): string[] {
  return typed.split(/[\s,]+/).filter((one) => one !== "");
}
