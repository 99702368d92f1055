//! A zip archive, read as it comes, one file after the other: the directory at its end isn't needed for that.

use flate2::{Crc, Decompress, FlushDecompress, Status};
use kernel::Result;

use crate::peers::bill::broken;

const FILE: u32 = 0x0403_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;
const DIRECTORY: [u32; 2] = [0x0201_4b50, 0x0605_4b50];
const HEADER: usize = 30;

/// The longest header, with name and extra field.
const MAX_HEADER: usize = HEADER + 2 * 65_535;

/// How much is inflated at once, in bytes.
const ROOM: usize = 32 * 1024;

/// Takes an archive apart as it comes.
#[derive(Debug)]
pub struct Archive {
    waiting: Vec<u8>,
    part: Part,
}

#[derive(Debug)]
enum Part {
    Header,
    Deflated { inflate: Box<Decompress>, crc: Crc, file: File },
    Stored { left: u64, crc: Crc, file: File },
    Descriptor { crc: u32, size: u32 },
    Directory,
}

#[derive(Debug, Clone, Copy)]
struct File {
    crc: u32,
    size: u32,
    /// Digest and size follow the content.
    described_later: bool,
}

/// What comes out of an archive.
#[derive(Debug)]
pub enum Piece<'a> {
    /// The next file begins.
    Begin,
    /// Some of its content.
    Content(&'a [u8]),
    /// It is whole.
    End,
}

impl Archive {
    /// Nothing has come yet.
    pub fn new() -> Self {
        Self { waiting: Vec::new(), part: Part::Header }
    }

    /// Takes in a further piece, and hands what comes out of it to `take`.
    ///
    /// # Errors
    /// `BILL_BROKEN` if it is no archive or damaged; and what `take` answers.
    pub fn push(&mut self, piece: &[u8], take: &mut dyn FnMut(Piece<'_>) -> Result<()>) -> Result<()> {
        self.waiting.extend_from_slice(piece);
        while self.step(take)? {}
        Ok(())
    }

    /// # Errors
    /// `BILL_BROKEN` if it ends in the middle.
    pub fn finish(self) -> Result<()> {
        if matches!(self.part, Part::Directory) { Ok(()) } else { Err(broken("the archive was cut")) }
    }

    /// Whether there may be more to do with what has come.
    fn step(&mut self, take: &mut dyn FnMut(Piece<'_>) -> Result<()>) -> Result<bool> {
        match &mut self.part {
            Part::Header => self.header(take),
            Part::Deflated { .. } => self.inflate(take),
            Part::Stored { left, crc, file } => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(self.waiting.len());
                let content: Vec<u8> = self.waiting.drain(..count).collect();
                crc.update(&content);
                take(Piece::Content(&content))?;
                *left -= u64::try_from(count).unwrap_or(*left);
                if *left > 0 {
                    return Ok(false);
                }
                let (crc, size, file) = (crc.sum(), crc.amount(), *file);
                self.part = ended(crc, size, file)?;
                take(Piece::End)?;
                Ok(true)
            }
            Part::Descriptor { crc, size } => {
                let (crc, size) = (*crc, *size);
                // Its own mark may be left out.
                let Some(first) = number(&self.waiting, 0) else { return Ok(false) };
                let start = if first == DESCRIPTOR { 4 } else { 0 };
                let (Some(stated), Some(length)) = (number(&self.waiting, start), number(&self.waiting, start + 8))
                else {
                    return Ok(false);
                };
                if (stated, length) != (crc, size) {
                    return Err(broken("a file in the archive is damaged"));
                }
                self.waiting.drain(..start + 12);
                self.part = Part::Header;
                Ok(true)
            }
            Part::Directory => {
                self.waiting.clear();
                Ok(false)
            }
        }
    }

    fn header(&mut self, take: &mut dyn FnMut(Piece<'_>) -> Result<()>) -> Result<bool> {
        let Some(mark) = number(&self.waiting, 0) else { return Ok(false) };
        if DIRECTORY.contains(&mark) {
            self.part = Part::Directory;
            return Ok(true);
        }
        if mark != FILE {
            return Err(broken("it is no archive"));
        }
        let half = |at: usize| Some(u16::from_le_bytes(self.waiting.get(at..at + 2)?.try_into().ok()?));
        let Some((flags, method, name, extra)) = (|| Some((half(6)?, half(8)?, half(26)?, half(28)?)))() else {
            return Ok(false);
        };
        let length = HEADER + usize::from(name) + usize::from(extra);
        if self.waiting.len() < length.min(MAX_HEADER) {
            return Ok(false);
        }
        let (crc, packed, size) = (number(&self.waiting, 14), number(&self.waiting, 18), number(&self.waiting, 22));
        let (Some(crc), Some(packed), Some(size)) = (crc, packed, size) else { return Ok(false) };
        let file = File { crc, size, described_later: flags & 0x08 != 0 };
        self.part = match method {
            _ if flags & 0x01 != 0 => return Err(broken("the archive is encrypted")),
            8 => Part::Deflated { inflate: Box::new(Decompress::new(false)), crc: Crc::new(), file },
            0 if !file.described_later => Part::Stored { left: u64::from(packed), crc: Crc::new(), file },
            other => return Err(broken(format!("the archive is packed in the way {other}"))),
        };
        self.waiting.drain(..length);
        take(Piece::Begin)?;
        Ok(true)
    }

    fn inflate(&mut self, take: &mut dyn FnMut(Piece<'_>) -> Result<()>) -> Result<bool> {
        let Part::Deflated { inflate, crc, file } = &mut self.part else { return Ok(false) };
        let mut room = vec![0; ROOM];
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(&self.waiting, &mut room, FlushDecompress::None);
        let count = |total: u64, before: u64| usize::try_from(total.saturating_sub(before)).unwrap_or_default();
        let (read, written) = (count(inflate.total_in(), read), count(inflate.total_out(), written));
        self.waiting.drain(..read);
        let content = room.get(..written).unwrap_or_default();
        crc.update(content);
        // What comes before the damage is judged first, so that the answer doesn't depend on how the archive was cut.
        take(Piece::Content(content))?;
        if status.map_err(|_| broken("a file in the archive is damaged"))? != Status::StreamEnd {
            return Ok(read > 0 || written > 0);
        }
        let (crc, size, file) = (crc.sum(), crc.amount(), *file);
        self.part = ended(crc, size, file)?;
        take(Piece::End)?;
        Ok(true)
    }
}

/// What comes after a file.
fn ended(crc: u32, size: u32, file: File) -> Result<Part> {
    if file.described_later {
        Ok(Part::Descriptor { crc, size })
    } else if (crc, size) == (file.crc, file.size) {
        Ok(Part::Header)
    } else {
        Err(broken("a file in the archive is damaged"))
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
