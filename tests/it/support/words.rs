//! The words of a case file's sentence.

/// One word, or a sign between words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Word(String),
    /// What stood in quotes.
    Text(String),
    Comma,
    Equals,
    /// Only at the end of a word.
    Colon,
}

/// Cuts a sentence into words.
pub(crate) fn words(sentence: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut chars = sentence.chars().peekable();
    while let Some(&first) = chars.peek() {
        match first {
            c if c.is_whitespace() => drop(chars.next()),
            ',' => {
                chars.next();
                tokens.push(Token::Comma);
            }
            '=' => {
                chars.next();
                tokens.push(Token::Equals);
            }
            '"' => {
                chars.next();
                tokens.push(Token::Text(quoted(&mut chars)?));
            }
            _ => {
                let mut word = String::new();
                while let Some(c) =
                    chars.next_if(|c| !c.is_whitespace() && !matches!(c, ',' | '=' | '"'))
                {
                    word.push(c);
                }
                let bare = word.strip_suffix(':').map(str::to_owned);
                tokens.push(Token::Word(bare.clone().unwrap_or(word)));
                tokens.extend(bare.map(|_| Token::Colon));
            }
        }
    }
    Ok(tokens)
}

/// The rest of a text in quotes, which began before these characters.
fn quoted(chars: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Ok(text),
            '\\' => text.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some(same @ ('"' | '\\')) => same,
                other => return Err(format!("`\\{}` in quotes", other.unwrap_or(' '))),
            }),
            c => text.push(c),
        }
    }
    Err("a quote that does not end".to_owned())
}

/// Words that are taken one by one.
#[derive(Debug)]
pub(crate) struct Words {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl Words {
    pub(crate) fn new(tokens: Vec<Token>) -> Self {
        Self { tokens: tokens.into_iter().peekable() }
    }

    /// The next word, which must not be in quotes.
    pub(crate) fn word(&mut self, what: &str) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(word)) => Ok(word),
            other => Err(format!("here stands {what}, not {}", shown(other.as_ref()))),
        }
    }

    /// The next text in quotes.
    pub(crate) fn text(&mut self, what: &str) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Text(text)) => Ok(text),
            other => Err(format!("here stands {what}, not {}", shown(other.as_ref()))),
        }
    }

    /// A word, in quotes or not.
    pub(crate) fn value(&mut self, what: &str) -> Result<String, String> {
        match self.tokens.next() {
            Some(Token::Word(word) | Token::Text(word)) => Ok(word),
            other => Err(format!("here stands {what}, not {}", shown(other.as_ref()))),
        }
    }

    /// This word and no other.
    pub(crate) fn exactly(&mut self, word: &str) -> Result<(), String> {
        self.token(&Token::Word(word.to_owned()))
    }

    /// This word or sign and no other.
    pub(crate) fn token(&mut self, token: &Token) -> Result<(), String> {
        match self.tokens.next() {
            Some(next) if next == *token => Ok(()),
            other => {
                Err(format!("here stands {}, not {}", shown(Some(token)), shown(other.as_ref())))
            }
        }
    }

    /// Takes this word, when it is the next.
    pub(crate) fn accept(&mut self, word: &str) -> bool {
        self.take(&Token::Word(word.to_owned()))
    }

    /// Takes this word or sign, when it is the next.
    pub(crate) fn take(&mut self, token: &Token) -> bool {
        self.tokens.next_if_eq(token).is_some()
    }

    /// What follows this word, when it is the next.
    pub(crate) fn after(&mut self, word: &str) -> Result<Option<String>, String> {
        match self.accept(word) {
            true => self.word(&format!("what comes after `{word}`")).map(Some),
            false => Ok(None),
        }
    }

    /// One name or several: `one, two, three`.
    pub(crate) fn list(&mut self) -> Result<Vec<String>, String> {
        let mut names = vec![self.word("a name")?];
        while self.take(&Token::Comma) {
            names.push(self.word("a name")?);
        }
        Ok(names)
    }

    /// Nothing more.
    pub(crate) fn end(&mut self) -> Result<(), String> {
        match self.tokens.next() {
            None => Ok(()),
            some => Err(format!("nobody understands {} here", shown(some.as_ref()))),
        }
    }
}

fn shown(token: Option<&Token>) -> String {
    match token {
        None => "the end of the line".to_owned(),
        Some(Token::Word(word)) => format!("`{word}`"),
        Some(Token::Text(text)) => format!("{text:?}"),
        Some(Token::Comma) => "`,`".to_owned(),
        Some(Token::Equals) => "`=`".to_owned(),
        Some(Token::Colon) => "`:`".to_owned(),
    }
}
