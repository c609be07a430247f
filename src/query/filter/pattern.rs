//! Regular expressions that are none, in the syntax of RE2, which the database has.
//!
//! Only what is certainly wrong is found here; what else there is, such as a class of characters that has no such name, the
//! database finds when it is asked.

/// Where a reader of a regular expression is.
struct Reader<'pattern> {
    rest: &'pattern str,
    /// How many groups are open.
    open: usize,
    /// Whether what comes next begins a pattern, a group or an alternative: there is nothing to repeat.
    begins: bool,
}

/// Why the pattern is no regular expression, if that is certain.
pub(super) fn why_wrong(pattern: &str) -> Option<&'static str> {
    let mut reader = Reader { rest: pattern, open: 0, begins: true };
    while let Some(first) = reader.rest.chars().next() {
        if let Err(why) = reader.pass(first) {
            return Some(why);
        }
    }
    (reader.open > 0).then_some("a ( in it has no )")
}

impl Reader<'_> {
    /// Passes over what begins with the character.
    fn pass(&mut self, first: char) -> Result<(), &'static str> {
        let begins = std::mem::replace(&mut self.begins, false);
        self.skip(first.len_utf8());
        match first {
            '\\' => self.pass_escaped(),
            '[' => self.pass_class(),
            '(' => self.open_group(),
            ')' => {
                let left = self.open.checked_sub(1).ok_or("a ) in it has no (")?;
                self.open = left;
                Ok(())
            }
            '|' => {
                self.begins = true;
                Ok(())
            }
            '*' | '+' | '?' if begins => Err("there is nothing before *, + or ? to repeat"),
            _ => Ok(()),
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// After a backslash: one character or, between \Q and \E, all of them.
    fn pass_escaped(&mut self) -> Result<(), &'static str> {
        let next = self.rest.chars().next().ok_or("nothing follows the \\ at its end")?;
        self.skip(next.len_utf8());
        if next == 'Q' {
            self.rest = self.rest.split_once("\\E").map_or("", |(_, rest)| rest);
        }
        Ok(())
    }

    /// After a `[`: as far as its `]`, which is no end where it comes first.
    fn pass_class(&mut self) -> Result<(), &'static str> {
        const UNCLOSED: &str = "a [ in it has no ]";
        self.rest = self.rest.strip_prefix('^').unwrap_or(self.rest);
        self.rest = self.rest.strip_prefix(']').unwrap_or(self.rest);
        loop {
            let next = self.rest.chars().next().ok_or(UNCLOSED)?;
            let named = self.rest.strip_prefix("[:").and_then(|name| name.split_once(":]"));
            if let Some((_, rest)) = named {
                self.rest = rest;
                continue;
            }
            self.skip(next.len_utf8());
            match next {
                ']' => return Ok(()),
                '\\' => {
                    let escaped = self.rest.chars().next().ok_or(UNCLOSED)?;
                    self.skip(escaped.len_utf8());
                }
                _ => {}
            }
        }
    }

    fn open_group(&mut self) -> Result<(), &'static str> {
        if ["?=", "?!", "?<=", "?<!"].iter().any(|sign| self.rest.starts_with(sign)) {
            return Err("it looks ahead or behind, which there is not");
        }
        self.open += 1;
        // What follows a question mark says of which kind the group is.
        match self.rest.strip_prefix('?') {
            Some(rest) => self.rest = rest,
            None => self.begins = true,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_certainly_no_regular_expression_is_told_why() {
        let check = |pattern: &str, expected: &str| {
            assert!(why_wrong(pattern).is_some_and(|why| why.contains(expected)), "{pattern}");
        };
        check("(", "has no )");
        check("a(b[)]", "has no )");
        check(")", "has no (");
        check("(a))", "has no (");
        check("[a", "has no ]");
        check("[]", "has no ]");
        check("[^]", "has no ]");
        check(r"[a\]", "has no ]");
        check(r"a\", "nothing follows");
        check("*a", "nothing before");
        check("a|+", "nothing before");
        check("(?i)(*)", "nothing before");
        check("a(?!b)", "looks ahead");
        check("(?<=b)a", "looks ahead");
    }

    #[test]
    fn what_may_be_a_regular_expression_is_left_to_the_database() {
        for pattern in [
            "",
            "^/blog/[^/]+$",
            "[]]",
            "[^]]",
            "([[a)])",
            "[[:alpha:]()]",
            r"[\](]",
            r"\(\[\\",
            r"\Q([\E",
            r"\Q(",
            r"\p{Unheard}",
            "(?i)a(?:b|c)*",
            "(?P<name>a)",
            "(?<name>a)",
            "^*",
            "ä|€",
        ] {
            assert_eq!(why_wrong(pattern), None, "{pattern}");
        }
    }
}
