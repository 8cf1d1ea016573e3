// The page of filter: how each signal is spread over the images, where rules cut it, and what lies on either
// side.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "imgmill/report/page_failures.h"

namespace imgmill {

struct SignalExample {
  std::string name;  ///< as shown, in printable text
  std::string link;  ///< to the file, from the page; empty where it is gone
  std::string note;  ///< what has become of the file: "moved from in/a.jpg"; empty for nothing
  std::string value;
  std::string jpeg;  ///< a small JPEG file; empty for none
};

/// Where a rule cuts, or an end of the values where none does.
struct SignalCut {
  std::string text;    ///< "--keep sharpness>p10 (33.1): drops 12"
  double place = -1;   ///< of the line, 0 at the chart's left to 1; outside for none
  std::string before;  ///< what the examples are: "just below", "lowest"
  std::vector<SignalExample> below;
  std::string after;
  std::vector<SignalExample> above;
};

struct SignalCard {
  std::string name, unit, meaning;
  std::vector<uint64_t> bars;  ///< images by value, from `from` to `to`
  /// In place of bars, of what is no number: values and their numbers of images.
  std::vector<std::pair<std::string, uint64_t>> values;
  std::string from, median, to;
  std::string note;  ///< "12 images have no value"; empty for none
  std::vector<SignalCut> cuts;
};

/// UTF-8, one document without a script or a reference to anything but the images' own files.
std::string SignalPageBegin(const std::string& outcome, const std::vector<std::string>& facts,
                            const PageFailures& failed);
std::string SignalPageCard(const SignalCard& card);
std::string SignalPageEnd();

}  // namespace imgmill
