//! Where the law says so: each source with its reference in Chinese and its gist in English.

/// A provision that a line or a note rests upon. Without another name it is of 法释〔2025〕4号.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the provisions; reference() and gist() say what each is")]
pub enum Source {
    Art9,
    Art10,
    Art13P1Item1,
    Art13P1Item2,
    Art13P1Item3,
    Art13P1Item4,
    Art13P2,
    Art14P1,
    Art14P1Item1,
    Art14P1Item2,
    Art14P2,
    Art15P1,
    Art15P2,
    Art15P3,
    Art16P1,
    Art16P2,
    Art17P1,
    Art17P2,
    Art18P1Item1,
    Art18P1Item2,
    Art18P2,
    Art19P1,
    Art19P2,
    Art19P3,
    Art20,
    Art21,
    Art22P1,
    Art22P2,
    Art22P3,
    Art27,
    CivilCode509,
    CivilCode562,
    CivilCode566,
    ConsumerLaw53,
}

impl Source {
    /// The reference as lawyers write it.
    pub const fn reference(self) -> &'static str {
        self.entry().0
    }

    /// What it says, in short, in English.
    pub const fn gist(self) -> &'static str {
        self.entry().1
    }

    const fn entry(self) -> (&'static str, &'static str) {
        match self {
            Self::Art9 => (
                "法释〔2025〕4号第九条",
                "Standard terms that bar or limit the refund, or are otherwise unfair to the consumer, are void.",
            ),
            Self::Art10 => (
                "法释〔2025〕4号第十条",
                "A contract with a person without capacity is void; the merchant may set off what was delivered.",
            ),
            Self::Art13P1Item1 => (
                "法释〔2025〕4号第十三条第一款第一项",
                "The consumer may end the contract if the merchant moves to a plainly inconvenient place.",
            ),
            Self::Art13P1Item2 => (
                "法释〔2025〕4号第十三条第一款第二项",
                "The consumer may end the contract if the merchant hands its duties to a third party without consent.",
            ),
            Self::Art13P1Item3 => (
                "法释〔2025〕4号第十三条第一款第三项",
                "The consumer may end the contract if promised unlimited service can't properly be given.",
            ),
            Self::Art13P1Item4 => (
                "法释〔2025〕4号第十三条第一款第四项",
                "The consumer may end the contract in the other cases for which law or contract gives that right.",
            ),
            Self::Art13P2 => (
                "法释〔2025〕4号第十三条第二款",
                "If the consumer's health or another basis of the contract changes unforeseeably, and renegotiation \
                 fails, the contract may be changed or ended.",
            ),
            Self::Art14P1 => (
                "法释〔2025〕4号第十四条第一款",
                "Within seven days of payment the consumer may have the prepaid principal back.",
            ),
            Self::Art14P1Item1 => (
                "法释〔2025〕4号第十四条第一款第一项",
                "Not so if the consumer had already had the same goods or services from this merchant.",
            ),
            Self::Art14P1Item2 => (
                "法释〔2025〕4号第十四条第一款第二项",
                "Not so if the consumer had already had the same goods or services from another merchant.",
            ),
            Self::Art14P2 => (
                "法释〔2025〕4号第十四条第二款",
                "A term on returns without a reason that is better for the consumer governs.",
            ),
            Self::Art15P1 => (
                "法释〔2025〕4号第十五条第一款",
                "The principal to be given back is the prepayment less the price of what was delivered.",
            ),
            Self::Art15P2 => (
                "法释〔2025〕4号第十五条第二款",
                "Reasonable costs are made good, except after force majeure or a change of circumstances.",
            ),
            Self::Art15P3 => (
                "法释〔2025〕4号第十五条第三款",
                "Commission that the merchant paid to its staff is not a reasonable cost.",
            ),
            Self::Art16P1 => (
                "法释〔2025〕4号第十六条第一款",
                "Interest: as agreed; else the 1-year loan prime rate if the merchant is the cause, the 1-year \
                 deposit benchmark if the consumer is, each of the day on which the contract was made.",
            ),
            Self::Art16P2 => (
                "法释〔2025〕4号第十六条第二款",
                "For prepayments in a supervised account the consumer may ask for the interest they really bore.",
            ),
            Self::Art17P1 => (
                "法释〔2025〕4号第十七条第一款",
                "Interest runs from when the contract is ended, held void, rescinded or of no effect.",
            ),
            Self::Art17P2 => (
                "法释〔2025〕4号第十七条第二款",
                "A term on the start of interest that is better for the consumer governs.",
            ),
            Self::Art18P1Item1 => (
                "法释〔2025〕4号第十八条第一款第一项",
                "Not the consumer's cause: discounted goods and services count at the discount price.",
            ),
            Self::Art18P1Item2 => (
                "法释〔2025〕4号第十八条第一款第二项",
                "Not the consumer's cause: with bonus money, what was delivered counts at paid ÷ (paid + bonus).",
            ),
            Self::Art18P2 => (
                "法释〔2025〕4号第十八条第二款",
                "A term on the price of what was delivered that is better for the consumer governs.",
            ),
            Self::Art19P1 => (
                "法释〔2025〕4号第十九条第一款",
                "The consumer's cause: what was delivered counts at the price before the discount.",
            ),
            Self::Art19P2 => (
                "法释〔2025〕4号第十九条第二款",
                "If that price is plainly unreasonable and unproven, the market price may take its place.",
            ),
            Self::Art19P3 => (
                "法释〔2025〕4号第十九条第三款",
                "A term on the price of what was delivered that is better for the consumer governs.",
            ),
            Self::Art20 => (
                "法释〔2025〕4号第二十条",
                "What the price before the discount comes to beyond the prepayment need not be paid.",
            ),
            Self::Art21 => (
                "法释〔2025〕4号第二十一条",
                "Whether gifts are given back or compensated is weighed: value, amount, performance, cause, good faith.",
            ),
            Self::Art22P1 => (
                "法释〔2025〕4号第二十二条第一款",
                "Unlimited service: the refund is the share of the time that remains after the contract's end.",
            ),
            Self::Art22P2 => (
                "法释〔2025〕4号第二十二条第二款",
                "Unlimited service that stopped earlier: the share of the time that remains after the stop.",
            ),
            Self::Art22P3 => (
                "法释〔2025〕4号第二十二条第三款",
                "No refund for time that the consumer let pass for reasons of his own.",
            ),
            Self::Art27 => ("法释〔2025〕4号第二十七条", "In force since 1 May 2025."),
            Self::CivilCode509 => ("《民法典》第五百零九条第一款", "The parties perform as they agreed."),
            Self::CivilCode562 => (
                "《民法典》第五百六十二条",
                "The parties may agree to end a contract, or on events for which one of them may.",
            ),
            Self::CivilCode566 => (
                "《民法典》第五百六十六条",
                "After a contract's end the parties restore what was performed, as its nature allows.",
            ),
            Self::ConsumerLaw53 => (
                "《消费者权益保护法》第五十三条",
                "A merchant that does not perform returns the prepayment with interest and necessary costs.",
            ),
        }
    }
}
