/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * For cppcheck only, which does not read the headers of libraries: what
 * OpenSSL's ASN.1 template macros and jansson's loops amount to.
 */
/* clang-format off */
#define ASN1_SEQUENCE(t) static const int t##_template[]
#define ASN1_CHOICE(t) static const int t##_template[]
#define ASN1_ITEM_TEMPLATE(t) static const int t##_template[]
#define ASN1_ADB(t) static const int t##_template[]
#define ASN1_ADB_TEMPLATE(t) static const int t##_any[]
#define ASN1_SEQUENCE_END(t) ;
#define ASN1_CHOICE_END(t) ;
#define ASN1_ITEM_TEMPLATE_END(t) ;
#define ASN1_ADB_END(t, ...) ;
#define static_ASN1_SEQUENCE_END(t) ;
#define static_ASN1_CHOICE_END(t) ;
#define static_ASN1_ITEM_TEMPLATE_END(t) ;
#define DECLARE_ASN1_ITEM(t)
#define DECLARE_ASN1_FUNCTIONS(t)
#define IMPLEMENT_ASN1_FUNCTIONS(t)
#define DEFINE_STACK_OF(t)
#define STACK_OF(t) struct stack_st_##t
#define json_array_foreach(a, i, v) for (i = 0; (v = json_array_get(a, i)) != 0; i++)
#define json_object_foreach(o, k, v) for (k = 0; (v = json_object_get(o, k)) != 0;)
