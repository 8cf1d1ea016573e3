// Style, markup and script of the page of groups.
#pragma once

#include <string>
#include <string_view>

#include "imgmill/report/page_failures.h"

namespace imgmill {

std::string GroupPageStyle();
/// What is there before the script has run.
std::string GroupPageBody(const std::string& title, const PageFailures& failed);
std::string_view GroupPageScript();

}  // namespace imgmill
