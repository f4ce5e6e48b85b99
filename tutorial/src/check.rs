//! `make tutorial-check`: whether the chapter that a learner works on is finished, by one order that is really placed.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use crate::chapter::Chapter;
use crate::order::EndedOrder;
use crate::steps::{FOLDER, GUIDE};

/// The chapter that comes after the step which `TUTORIAL.md` names, or the one that is asked for by its number.
fn find<'c>(
    chapters: &'c [Chapter],
    root: &Path,
    number: Option<u8>,
) -> anyhow::Result<&'c Chapter> {
    if let Some(number) = number {
        let chapter = chapters.iter().find(|chapter| chapter.number() == number);
        return chapter.with_context(|| format!("there is no chapter {number}"));
    }
    let guide = std::fs::read_to_string(root.join(GUIDE));
    let guide = guide.context(
        "this is no step of the tutorial: `make tutorial`, then `git checkout 00-uninstrumented`; or name a chapter, CHAPTER=4",
    )?;
    let step = guide
        .strip_prefix("# ")
        .and_then(|rest| rest.split(':').next())
        .context("TUTORIAL.md does not begin with the name of the step")?;
    let next = chapters.iter().find(|chapter| chapter.name.as_str() > step);
    next.with_context(|| format!("{step} is the last step: everything is joined up"))
}

/// Whether a test is there: a file, a folder, or a function in a file.
fn is_there(root: &Path, test: &str) -> bool {
    match test.split_once("::") {
        None => root.join(test).exists(),
        Some((path, name)) => std::fs::read_to_string(root.join(path))
            .is_ok_and(|text| text.contains(&format!("fn {name}("))),
    }
}

pub(crate) async fn check(root: &Path, number: Option<u8>) -> anyhow::Result<ExitCode> {
    let chapters = Chapter::all(&root.join(FOLDER))?;
    let chapter = find(&chapters, root, number)?;
    println!(
        "chapter {}: placing an order on a stack of its own",
        chapter.name
    );
    let mut tests = chapter.about.tests.iter();
    let absent = tests.find(|test| !is_there(root, test));
    let order = EndedOrder::place(None).await?;
    let missing = order.missing(chapter.number()).await?;
    let Some(first) = missing.first() else {
        if let Some(test) = absent {
            println!(
                "the order's spans are as the chapter promises, but a test of it is not there: {test}"
            );
            return Ok(ExitCode::FAILURE);
        }
        println!("finished. Joined up now: {}", chapter.about.joins);
        return Ok(ExitCode::SUCCESS);
    };
    let earlier = chapters
        .iter()
        .find(|other| other.number() == first.chapter)
        .filter(|other| other.name != chapter.name);
    println!("not yet: {first}");
    match earlier {
        Some(earlier) => println!(
            "that was joined up in chapter {}, and is lost now",
            earlier.name
        ),
        None => println!("hint: {}", chapter.about.hint),
    }
    if let Some(more @ 1..) = missing.len().checked_sub(1) {
        println!("and {more} more like it");
    }
    Ok(ExitCode::FAILURE)
}
