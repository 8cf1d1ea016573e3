// Style, markup and script of the page of groups.
#pragma once

#include <string>
#include <string_view>

namespace imgmill {

std::string GroupPageStyle();
/// What is there before the script has run.
std::string GroupPageBody(const std::string& title);
std::string_view GroupPageScript();

}  // namespace imgmill
