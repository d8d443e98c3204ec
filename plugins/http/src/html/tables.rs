//! Tables: those that hold data, and those that only place things on the page.

use super::Style;
use super::blocks::{Blocks, Level, Renderer};
use super::dom::{Dom, Id};
use super::role::Role;

/// The most columns. What spans more is there to break something.
const COLUMNS_MAX: usize = 64;

/// Renders a table, or what is in it where it holds no data.
pub(super) fn table(renderer: &Renderer<'_>, id: Id, level: Level, out: &mut Blocks) {
    let dom = renderer.lines.dom;
    let rows = rows(dom, id);
    if !holds_data(dom, id, &rows) {
        return renderer.flow(id, level.nested_in_table(), out);
    }
    for caption in dom.children(id).filter(|&child| dom.name(child) == "caption") {
        out.push(renderer.lines.paragraph(caption, level.depth()));
    }
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|&row| cells(renderer, row, level))
        .filter(|cells| cells.iter().any(|cell| !cell.is_empty()))
        .collect();
    let Some((head, body)) = rows.split_first() else {
        return;
    };
    if renderer.lines.style == Style::Plain {
        let lines: Vec<String> = rows.iter().map(|row| row.join("\t")).collect();
        return out.push(lines.join("\n"));
    }
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut head = head.clone();
    head.resize(columns, String::new());
    let mut lines = vec![line(&head), line(&vec!["---".to_owned(); columns])];
    lines.extend(body.iter().map(|row| line(row)));
    out.push(lines.join("\n"));
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// The rows of this table, not of those inside.
fn rows(dom: &Dom, id: Id) -> Vec<Id> {
    let mut rows = Vec::new();
    for child in dom.children(id) {
        match dom.name(child) {
            "tr" => rows.push(child),
            "thead" | "tbody" | "tfoot" => rows.extend(dom.children(child).filter(|&row| dom.name(row) == "tr")),
            _ => {}
        }
    }
    rows.retain(|&row| dom.role(row) != Role::Skipped);
    rows
}

fn columns(dom: &Dom, row: Id) -> impl Iterator<Item = Id> {
    dom.children(row).filter(|&cell| matches!(dom.name(cell), "td" | "th") && dom.role(cell) != Role::Skipped)
}

/// Whether the table is one to a reader: more than one column, and nothing in it that is larger than a cell.
fn holds_data(dom: &Dom, id: Id, rows: &[Id]) -> bool {
    let placed = dom.attribute(id, "role").is_some_and(|role| matches!(role, "presentation" | "none"));
    let wide = rows.iter().any(|&row| columns(dom, row).nth(1).is_some());
    let large = |id| matches!(dom.role(id), Role::Table | Role::Heading(_) | Role::Preformatted);
    !placed && wide && !dom.shown_below(id).any(large)
}

fn cells(renderer: &Renderer<'_>, row: Id, level: Level) -> Vec<String> {
    let dom = renderer.lines.dom;
    let mut cells = Vec::new();
    for cell in columns(dom, row) {
        let text = renderer.lines.paragraph(cell, level.depth()).replace("  \n", " ").replace('\n', " ");
        cells.push(if renderer.lines.style == Style::Markdown { text.replace('|', "\\|") } else { text });
        let span = dom.attribute(cell, "colspan").and_then(|span| span.trim().parse::<usize>().ok());
        let span = span.unwrap_or(1).clamp(1, COLUMNS_MAX);
        cells.extend(std::iter::repeat_n(String::new(), span - 1));
        if cells.len() >= COLUMNS_MAX {
            cells.truncate(COLUMNS_MAX);
            break;
        }
    }
    while cells.last().is_some_and(String::is_empty) {
        cells.pop();
    }
    cells
}
