// The page for people: what each step did with each image, in one HTML file that needs nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace imgmill {

/// What one step did with one image of the input, or with the files that earlier steps made of it.
struct StepVerdict {
  std::string step;
  uint64_t kept = 0;
  uint64_t dropped = 0;
  uint64_t failed = 0;
  std::vector<std::string> reasons;  ///< in words, each once
  std::vector<std::string> outputs;  ///< paths as links from the page: relative, percent-encoded
};

struct PageImage {
  std::string name;              ///< as shown, in printable text
  std::string link;              ///< to the file, from the page
  std::string thumbnail;         ///< a data: URI of a thumbnail; empty if there is none
  std::vector<StepVerdict> way;  ///< one for each step that it reached
};

struct PageStep {
  std::string name;
  uint64_t listed = 0;
  uint64_t kept = 0;
  uint64_t dropped = 0;
  uint64_t failed = 0;
  std::string summary;
};

struct ReportPage {
  std::string command_line;
  std::string outcome;             ///< one line: "32 images: 28 done, 2 failed"
  std::vector<std::string> facts;  ///< time, memory, versions: a line each
  std::vector<PageStep> steps;
  std::vector<PageImage> images;
  uint64_t not_shown = 0;  ///< images that the page leaves out because there are too many
};

/// UTF-8, one document, no script, no reference to anything but the images' own files.
std::string PageHtml(const ReportPage& page);

/// A path's bytes as the path part of a URL.
std::string PercentEncoded(const std::string& path);

/// The folder of a page's file, absolute, and the link from there to a file.
std::string FolderOfPage(const std::string& page_file);
std::string LinkFrom(const std::string& folder, const std::string& path);

}  // namespace imgmill
