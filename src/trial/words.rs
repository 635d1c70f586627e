//! A line of a case as words: bare ones, texts in quotes, and commas.

/// What a line is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Word {
    /// Anything without blanks, quotes and commas.
    Bare(String),
    /// What stood between quotes, any bytes.
    Text(Vec<u8>),
    /// A comma.
    Comma,
}

/// The words of a line, taken one after the other.
#[derive(Debug)]
pub(super) struct Words {
    list: std::vec::IntoIter<Word>,
}

/// What is wrong with a line, in words.
pub(super) type Flawed<T> = Result<T, String>;

impl Words {
    /// Takes a line apart.
    pub(super) fn of(line: &str) -> Flawed<Self> {
        let mut list = Vec::new();
        let mut rest = line.trim();
        while let Some(first) = rest.chars().next() {
            let taken = match first {
                ',' => {
                    list.push(Word::Comma);
                    1
                }
                '"' => {
                    let (text, taken) = quoted(rest)?;
                    list.push(Word::Text(text));
                    taken
                }
                _ => {
                    let ends = |c: char| c.is_whitespace() || c == ',' || c == '"';
                    let end = rest.find(ends).unwrap_or(rest.len());
                    list.push(Word::Bare(rest.get(..end).unwrap_or(rest).to_owned()));
                    end
                }
            };
            rest = rest.get(taken..).unwrap_or_default().trim_start();
        }
        Ok(Self { list: list.into_iter() })
    }

    /// The next word, left where it is.
    pub(super) fn peek(&self) -> Option<&Word> {
        self.list.as_slice().first()
    }

    /// A bare word. `what` it should be, for whoever reads the complaint.
    pub(super) fn bare(&mut self, what: &str) -> Flawed<String> {
        match self.list.next() {
            Some(Word::Bare(word)) => Ok(word),
            Some(Word::Text(_)) => Err(format!("here stands {what}, without quotes")),
            Some(Word::Comma) | None => Err(format!("here stands {what}")),
        }
    }

    /// A text in quotes.
    pub(super) fn text(&mut self, what: &str) -> Flawed<Vec<u8>> {
        match self.list.next() {
            Some(Word::Text(text)) => Ok(text),
            Some(Word::Bare(_) | Word::Comma) | None => {
                Err(format!("here stands {what}, in quotes"))
            }
        }
    }

    /// A bare word or a text.
    pub(super) fn either(&mut self, what: &str) -> Flawed<Vec<u8>> {
        match self.list.next() {
            Some(Word::Text(text)) => Ok(text),
            Some(Word::Bare(word)) => Ok(word.into_bytes()),
            Some(Word::Comma) | None => Err(format!("here stands {what}")),
        }
    }

    /// Takes this bare word, if it is next.
    pub(super) fn accept(&mut self, word: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Word::Bare(next)) if next == word);
        if is_next {
            self.list.next();
        }
        is_next
    }

    /// Takes this bare word, which has to be next.
    pub(super) fn exactly(&mut self, word: &str) -> Flawed<()> {
        if self.accept(word) { Ok(()) } else { Err(format!("here stands `{word}`")) }
    }

    /// Takes a comma, if it is next.
    pub(super) fn comma(&mut self) -> bool {
        let is_next = self.peek() == Some(&Word::Comma);
        if is_next {
            self.list.next();
        }
        is_next
    }

    /// Bare words between commas, at least one.
    pub(super) fn list(&mut self, what: &str) -> Flawed<Vec<String>> {
        let mut list = vec![self.bare(what)?];
        while self.comma() {
            list.push(self.bare(what)?);
        }
        Ok(list)
    }

    /// Makes sure that nothing is left.
    pub(super) fn end(&mut self) -> Flawed<()> {
        match self.list.next() {
            None => Ok(()),
            Some(Word::Bare(word)) => Err(format!("nobody understands `{word}`")),
            Some(Word::Text(_)) => Err("nobody understands this text".to_owned()),
            Some(Word::Comma) => Err("nobody understands this comma".to_owned()),
        }
    }
}

/// The text that begins with a quote, and how many bytes of the line it takes. `\n`, `\t`, `\"`,
/// `\\` and `\xNN` stand for what they do in most languages.
fn quoted(rest: &str) -> Flawed<(Vec<u8>, usize)> {
    let mut text = Vec::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((text, at + 1)),
            '\\' => match chars.next().map(|(_, escaped)| escaped) {
                Some('n') => text.push(b'\n'),
                Some('t') => text.push(b'\t'),
                Some(same @ ('"' | '\\')) => text.extend(same.to_string().bytes()),
                Some('x') => {
                    let digits: String = chars.by_ref().take(2).map(|(_, digit)| digit).collect();
                    let byte = (digits.len() == 2).then(|| u8::from_str_radix(&digits, 16).ok());
                    let flaw = || "two hexadecimal digits stand behind `\\x`".to_owned();
                    text.push(byte.flatten().ok_or_else(flaw)?);
                }
                Some(_) | None => {
                    return Err("behind `\\` stands n, t, x, a quote or another `\\`".to_owned());
                }
            },
            c => text.extend(c.to_string().bytes()),
        }
    }
    Err("a quote that does not end".to_owned())
}
