// The common style is one string: a page must look the same wherever it is opened from.
#include "page_parts.h"

namespace imgmill {
namespace {

constexpr char kCommonStyle[] = R"css(
:root { --ink: #1c2126; --soft: #66707a; --paper: #f5f6f7; --card: #fff; --line: #dfe3e6;
        --through: #1f7a44; --dropped: #a35f00; --failed: #b3261e; color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --soft: #98a2ac; --paper: #16191c; --card: #1f2327; --line: #343a40;
          --through: #5fc98a; --dropped: #e2a64b; --failed: #f08a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem; max-width: 78rem; background: var(--paper); color: var(--ink);
       font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.35rem; margin: 0 0 .3rem; }
code { font: 13px/1.4 ui-monospace, monospace; color: var(--soft); overflow-wrap: anywhere; }
.outcome { font-size: 1.05rem; margin: .8rem 0 .2rem; }
.facts { color: var(--soft); margin: 0 0 1.2rem; }
table { border-collapse: collapse; margin: 0 0 1.4rem; background: var(--card); border: 1px solid var(--line); }
th, td { padding: .35rem .8rem; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child, th:last-child, td:last-child { text-align: left; }
th { font-weight: 600; color: var(--soft); }
)css";

}  // namespace

std::string PageHead(const std::string& title, const std::string& style) {
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"generator\" content=\"imgmill\">\n<title>" +
         Escaped(title) + "</title>\n<style>" + kCommonStyle + style + "</style>\n</head>\n<body>\n";
}

std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
      case '\t':
        out += c;
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += "\xef\xbf\xbd";
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string Breakable(const std::string& text) {
  std::string out;
  for (const char c : Escaped(text)) {
    out += c;
    if (c == '/' || c == '_') out += "<wbr>";
  }
  return out;
}

}  // namespace imgmill
